#include "trainer/options.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <map>

#include "base/error.h"

namespace openclip::train {
namespace {

constexpr const char* kExamples = R"(
Examples:
  From scratch on webdataset shards (KEY.jpg + KEY.txt), logs and checkpoints in logs/first:
    openclip-train --train-data 'shards/{0000..0099}.tar' --train-num-samples 990000 \
      --model ViT-B-32.json --batch-size 256 --epochs 32 --warmup 2000 --name first
  A small set of drawings, kept decoded in memory, captions in two languages, new styles each time:
    openclip-train --train-data 'train/*.tar' --cache-decoded 4G --json-text-key en,zh \
      --model small.json --tokenizer tokenizer/ --aug-cfg style=0.6 --ema 0.999 --name drawings
  Fine-tune a checkpoint on a table of paths and captions:
    openclip-train --train-data pairs.csv --csv-separator , --model local-dir:MODEL \
      --lr 1e-5 --wd 0.1 --epochs 3 --name tuned
  Go on after an interruption, with the same flags:
    openclip-train … --name first --resume latest

Exit codes: 0 done or stopped by a signal after saving, 1 failed, 2 wrong usage.
)";

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text + separator) {
    if (c != separator)
      part += c;
    else if (!part.empty())
      parts.push_back(std::exchange(part, {}));
  }
  return parts;
}

// What CLI11 cannot store in Options by itself.
struct Raw {
  std::string json_text_key, json_text_key_probs, label_key, scheduler = "cosine", report_to;
  std::vector<std::string> aug_cfg;
  std::optional<double> lr, beta1, beta2, eps;
  bool skip_scheduler = false;
};

void add_data(CLI::App& app, Options& o, Raw& raw) {
  app.add_option("--train-data", o.train_data,
                 "Shards ({000..123} and * are expanded, :: joins), a .csv/.tsv file, or a folder")
      ->group("Data");
  app.add_option("--train-num-samples", o.train_num_samples, "Samples of an epoch")->group("Data");
  app.add_option("--dataset-type", o.dataset_type, "")
      ->check(CLI::IsMember({"auto", "webdataset", "csv", "folder", "synthetic"}))
      ->capture_default_str()
      ->group("Data");
  app.add_option("--csv-separator", o.csv_separator, "Default: tab")->group("Data");
  app.add_option("--csv-img-key", o.csv_image_key, "")->capture_default_str()->group("Data");
  app.add_option("--csv-caption-key", o.csv_caption_key, "")->capture_default_str()->group("Data");
  app.add_option("--image-key", o.image_key, "")->capture_default_str()->group("Data");
  app.add_option("--text-key", o.text_key, "")->capture_default_str()->group("Data");
  app.add_option("--json-text-key", raw.json_text_key,
                 "Captions from these members of the .json part, comma-separated; each a text "
                 "or a list")
      ->group("Data");
  app.add_option("--json-text-key-probs", raw.json_text_key_probs,
                 "Probability of each key; default: the first one present")
      ->group("Data");
  app.add_option("--first-caption-prob", o.captions.first_probability,
                 "Probability of a caption list's first entry; else one of the others")
      ->capture_default_str()
      ->group("Data");
  app.add_option("--max-image-pixels", o.max_image_pixels, "Skip larger pictures; 0 = keep all")
      ->capture_default_str()
      ->group("Data");
  app.add_option("--cache-decoded", o.cache_bytes,
                 "Keep all decoded pictures in memory if they fit in so many bytes (4G)")
      ->transform(CLI::AsSizeValue(false))
      ->group("Data");
  app.add_option("--workers", o.workers, "Threads that decode and augment")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group("Data");
  app.add_option("--batch-size", o.batch_size, "")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str()
      ->group("Data");
}

void add_model(CLI::App& app, Options& o, Raw& raw) {
  app.add_option("--model", o.model,
                 "Name (ViT-B-32), config .json, or a model folder (local-dir:DIR)")
      ->capture_default_str()
      ->group("Model");
  app.add_option("--pretrained", o.pretrained, "safetensors file to start from")->group("Model");
  app.add_option("--tokenizer", o.tokenizer, "Folder with tokenizer.json")->group("Model");
  app.add_option("--force-image-size", o.force_image_size, "")->group("Model");
  app.add_flag("--force-quick-gelu", o.force_quick_gelu, "")->group("Model");
  app.add_flag("--lock-image", o.lock_image, "Keep the image tower's weights")->group("Model");
  app.add_flag("--lock-image-freeze-bn-stats", o.lock_image_freeze_bn_stats,
               "With --lock-image: BatchNorm uses its running statistics and keeps them")
      ->group("Model");
  app.add_flag("--lock-text", o.lock_text, "Keep the text tower's weights")->group("Model");
  app.add_option("--image-mean", o.image_mean, "")->expected(3)->group("Model");
  app.add_option("--image-std", o.image_std, "")->expected(3)->group("Model");
  app.add_option("--image-interpolation", o.image_interpolation, "Of evaluation, in the config")
      ->check(CLI::IsMember({"bicubic", "bilinear"}))
      ->group("Model");
  app.add_option("--image-resize-mode", o.image_resize_mode, "Of evaluation, in the config")
      ->check(CLI::IsMember({"shortest", "longest", "squash"}))
      ->group("Model");
  app.add_option("--image-fill", o.image_fill, "Border of mode longest, 0..255")->group("Model");
  app.add_option("--aug-cfg", raw.aug_cfg,
                 "key=value …: scale, ratio, color_jitter, color_jitter_prob, gray_scale_prob; and "
                 "for RGBA drawings style=P (redraw with probability P on random backgrounds), "
                 "style_scale, style_rotate, style_shear, style_translate")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("Model");
}

void add_optimiser(CLI::App& app, Options& o, Raw& raw) {
  const char* group = "Optimiser";
  app.add_option("--epochs", o.epochs, "")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--epochs-cooldown", o.epochs_cooldown, "Of const-cooldown")->group(group);
  app.add_option("--lr", raw.lr, "Default: 5e-4")->group(group);
  app.add_option("--beta1", raw.beta1, "Default: 0.9")->group(group);
  app.add_option("--beta2", raw.beta2, "Default: 0.98 for ViTs, else 0.999")->group(group);
  app.add_option("--eps", raw.eps, "Default: 1e-6 for ViTs, else 1e-8")->group(group);
  app.add_option("--wd", o.adamw.weight_decay, "")->capture_default_str()->group(group);
  app.add_option("--warmup", o.warmup, "Steps")->capture_default_str()->group(group);
  app.add_option("--lr-scheduler", raw.scheduler, "")
      ->check(CLI::IsMember({"cosine", "const", "const-cooldown"}))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--skip-scheduler", raw.skip_scheduler, "")->group(group);
  app.add_option("--lr-cooldown-end", o.lr_cooldown_end, "")->group(group);
  app.add_option("--lr-cooldown-power", o.lr_cooldown_power, "")->group(group);
  app.add_option("--grad-clip-norm", o.grad_clip_norm, "")->group(group);
  app.add_option("--accum-freq", o.accum_freq, "Batches for one step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--ema", o.ema,
                 "Average the weights with this decay; the averages are written "
                 "to EPOCH/ema/")
      ->check(CLI::Range(0.0, 1.0))
      ->group(group);
  app.add_option("--seed", o.seed, "")->capture_default_str()->group(group);
  app.add_option("--precision", o.precision,
                 "amp_bf16 falls back to fp32 on processors without bf16 instructions")
      ->check(CLI::IsMember({"fp32", "amp_bf16", "amp_bfloat16"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--device", o.device, "cpu or cuda[:N]")->capture_default_str()->group(group);
  app.add_option("--threads", o.threads, "Of the step; 0 = all cores")->group(group);
}

void add_loss(CLI::App& app, Options& o, Raw& raw) {
  const char* group = "Loss (not in open_clip, off by default)";
  app.add_option("--label-key", raw.label_key,
                 "Integer member of the .json part; pairs with the same label >= 0 count as "
                 "positives of each other")
      ->group(group);
  app.add_option("--extra-texts", o.extra_texts,
                 "Captions of that many other samples for each pair, as further wrong answers for "
                 "the pictures")
      ->group(group);
  app.add_option("--concept-table", o.concept_table,
                 "Weight of a softmax over a learned table of the labels, thrown away at the end")
      ->group(group);
  app.add_option("--concept-align", o.concept_align,
                 "Weight of the cosine distance from a caption to its label's row in that table")
      ->group(group);
  app.add_option("--hog-distill", o.hog_distill,
                 "Weight of predicting the clean picture's shape descriptor from the restyled one")
      ->group(group);
}

void add_output(CLI::App& app, Options& o, Raw& raw) {
  const char* group = "Checkpoints and logs";
  app.add_option("--logs", o.logs, "")->capture_default_str()->group(group);
  app.add_option("--name", o.name, "Default: time and model")->group(group);
  app.add_option("--resume", o.resume, "A checkpoint folder, or 'latest'")->group(group);
  app.add_option("--save-frequency", o.save_frequency, "Epochs")
      ->capture_default_str()
      ->group(group);
  app.add_option("--save-every-n-steps", o.save_every_n_steps, "Also to epoch_latest/")
      ->group(group);
  app.add_flag("--save-most-recent", o.save_most_recent, "Also to epoch_latest/ after each epoch")
      ->group(group);
  app.add_flag("--delete-previous-checkpoint", o.delete_previous_checkpoint, "")->group(group);
  app.add_option("--max-minutes", o.max_minutes, "Save and stop after so long")->group(group);
  app.add_option("--log-every-n-steps", o.log_every_n_steps, "")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--report-to", raw.report_to, "tensorboard")
      ->check(CLI::IsMember({"tensorboard", "all", ""}))
      ->group(group);
  app.add_option("--dump-batch", o.dump_batch, "Write the first batch's pictures as PPM and stop")
      ->group(group);
}

// "2026_01_31-10_20_30-model_ViT-B-32-lr_0.0005-b_64-j_4-p_amp_bf16", as open_clip.
std::string default_name(const Options& o) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char stamp[32];
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(stamp, sizeof stamp, "%Y_%m_%d-%H_%M_%S", &local);
  std::string model = o.model.substr(o.model.find_last_of('/') + 1);
  return fmt::format("{}-model_{}-lr_{}-b_{}-j_{}-p_{}", stamp, model, o.adamw.lr, o.batch_size,
                     o.workers, o.precision);
}

void finish(Options& o, const Raw& raw) {
  check_arg(!o.train_data.empty() || o.dataset_type == "synthetic",
            "--train-data is needed (or --dataset-type synthetic)");
  check_arg(o.dataset_type != "synthetic" || o.train_num_samples > 0,
            "--dataset-type synthetic needs --train-num-samples");
  o.captions.keys = split(raw.json_text_key, ',');
  for (const std::string& text : split(raw.json_text_key_probs, ','))
    o.captions.probabilities.push_back(std::strtod(text.c_str(), nullptr));
  check_arg(
      o.captions.probabilities.empty() || o.captions.probabilities.size() == o.captions.keys.size(),
      "--json-text-key-probs must name one number for each of --json-text-key");
  o.captions.label_key = raw.label_key;
  o.label_positives = !raw.label_key.empty();
  check_arg(o.extra_texts >= 0, "--extra-texts must be >= 0");
  check_arg(o.extra_texts == 0 || o.accum_freq == 1, "--extra-texts does not go with --accum-freq");
  check_arg(!o.lock_image_freeze_bn_stats || o.lock_image,
            "--lock-image-freeze-bn-stats needs --lock-image");
  check_arg(o.captions.first_probability >= 0 && o.captions.first_probability <= 1,
            "--first-caption-prob must be from 0 to 1");
  check_arg(o.concept_table == 0 || o.label_positives, "--concept-table needs --label-key");
  check_arg(o.concept_align == 0 || o.concept_table > 0, "--concept-align needs --concept-table");
  check_arg(o.warmup >= 0 && o.save_frequency >= 0, "--warmup and --save-frequency must be >= 0");
  set_defaults_by_model(o.adamw, o.model);
  if (raw.lr) o.adamw.lr = *raw.lr;
  if (raw.beta1) o.adamw.beta1 = *raw.beta1;
  if (raw.beta2) o.adamw.beta2 = *raw.beta2;
  if (raw.eps) o.adamw.eps = *raw.eps;
  const std::map<std::string, ScheduleKind> kinds = {
      {"cosine", ScheduleKind::cosine},
      {"const", ScheduleKind::constant},
      {"const-cooldown", ScheduleKind::constant_cooldown}};
  o.scheduler = raw.skip_scheduler ? ScheduleKind::none : kinds.at(raw.scheduler);
  check_arg(o.scheduler != ScheduleKind::constant_cooldown || o.epochs_cooldown,
            "--lr-scheduler const-cooldown needs --epochs-cooldown");
  o.tensorboard = !raw.report_to.empty();
  o.augment.parse(raw.aug_cfg);
  if (o.name.empty()) o.name = default_name(o);
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CLI::App app("Trains CLIP models; flags are those of open_clip's trainer.", "openclip-train");
  app.footer(kExamples);
  // As argparse: of a repeated flag the last one counts.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  Options options;
  Raw raw;
  add_data(app, options, raw);
  add_model(app, options, raw);
  add_optimiser(app, options, raw);
  add_loss(app, options, raw);
  add_output(app, options, raw);
  try {
    app.parse(argc, argv);
    finish(options, raw);
  } catch (const CLI::CallForHelp&) {
    return {std::nullopt, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return {std::nullopt,
            fmt::format("openclip-train: {} (--help lists the flags)\n", error.what()), 2};
  } catch (const InvalidArgument& error) {
    return {std::nullopt, fmt::format("openclip-train: {}\n", error.what()), 2};
  }
  return {options, "", 0};
}

std::string describe(const Options& o) {
  std::string text;
  const auto line = [&](const char* key, const auto& value) {
    text += fmt::format("{}: {}\n", key, value);
  };
  line("accum_freq", o.accum_freq);
  line("batch_size", o.batch_size);
  line("beta1", o.adamw.beta1);
  line("beta2", o.adamw.beta2);
  line("extra_texts", o.extra_texts);
  line("first_caption_prob", o.captions.first_probability);
  line("concept_table", o.concept_table);
  line("concept_align", o.concept_align);
  line("device", o.device);
  line("ema", o.ema);
  line("epochs", o.epochs);
  line("eps", o.adamw.eps);
  line("grad_clip_norm", o.grad_clip_norm);
  line("hog_distill", o.hog_distill);
  line("json_text_key", fmt::format("{}", fmt::join(o.captions.keys, ",")));
  line("label_key", o.captions.label_key);
  line("logs", o.logs);
  line("lr", o.adamw.lr);
  line("model", o.model);
  line("name", o.name);
  line("precision", o.precision);
  line("pretrained", o.pretrained);
  line("resume", o.resume);
  line("seed", o.seed);
  line("style_probability", o.augment.style.enabled ? o.augment.style.probability : 0);
  line("train_data", o.train_data);
  line("train_num_samples", o.train_num_samples);
  line("warmup", o.warmup);
  line("wd", o.adamw.weight_decay);
  line("workers", o.workers);
  return text;
}

}  // namespace openclip::train
