#include "trainer/options.h"

#include <chrono>
#include <ctime>
#include <map>

#include "base/error.h"
#include "trainer/flags.h"

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

// "2026_01_31-10_20_30-model_ViT-B-32-lr_0.0005-b_64-j_4-p_amp_bf16", as open_clip.
std::string default_name(const Options& o) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char stamp[32];
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(stamp, sizeof stamp, "%Y_%m_%d-%H_%M_%S", &local);
  std::string model = o.model.substr(o.model.find_last_of('/') + 1);
  return fmt::format("{}-model_{}-lr_{}-b_{}-j_{}-p_{}", stamp, model, o.optimizer.lr, o.batch_size,
                     o.workers, o.precision);
}

void finish_views(Options& o, const RawFlags& raw) {
  o.visual_stage = raw.stage == "visual";
  if (o.visual_stage && o.views == 0) o.views = 1;
  // Drawings have their own style augmentation; two views of one are two styles.
  o.view_augment = o.augment.style.enabled ? o.augment : AugmentOptions::simclr();
  o.view_augment.parse(raw.ssl_aug_cfg, "--ssl-aug-cfg");
  check_arg(raw.ssl_aug_cfg.empty() || o.views > 0,
            "--ssl-aug-cfg needs --stage visual or --ssl-weight");
  check_arg(!o.visual_stage || (o.val_data.empty() && o.zeroshot_data.empty()),
            "--stage visual trains no captions that --val-data or --imagenet-val could measure");
  check_arg(!o.visual_stage || !o.lock.image, "--stage visual trains what --lock-image keeps");
  check_arg(!o.visual_stage || (!o.siglip && o.distill_model.empty() && !o.label_positives &&
                                o.hog_distill == 0 && o.extra_texts == 0),
            "--stage visual knows no captions: no --siglip, --distill-model, --label-key, "
            "--hog-distill or --extra-texts");
}

void finish_techniques(Options& o, const RawFlags& raw) {
  const std::map<std::string, OptimizerKind> kinds = {{"adamw", OptimizerKind::adamw},
                                                      {"nadamw", OptimizerKind::nadamw},
                                                      {"lion", OptimizerKind::lion}};
  o.optimizer.kind = kinds.at(raw.optimizer);
  o.lora_alpha = raw.lora_alpha.value_or(static_cast<double>(o.lora_rank));
  check_arg(o.lora_rank > 0 || !raw.lora_alpha, "--lora-alpha needs --lora-rank");
  check_arg(o.lock.image_unlocked_groups == 0 || o.lock.image,
            "--lock-image-unlocked-groups needs --lock-image");
  check_arg(o.lock.text_unlocked_layers == 0 || o.lock.text,
            "--lock-text-unlocked-layers needs --lock-text");
  check_arg(o.distill_model.empty() == o.distill_pretrained.empty(),
            "--distill-model and --distill-pretrained go together");
  check_arg(o.distill_model.empty() || (!o.siglip && !o.label_positives && o.extra_texts == 0),
            "--distill-model does not go with --siglip, --label-key or --extra-texts");
  check_arg(!o.siglip || (!o.label_positives && o.extra_texts == 0),
            "--siglip does not go with --label-key or --extra-texts");
  for (const std::string& text : split(raw.upsampling_factors, ':'))
    o.upsampling_factors.push_back(std::strtod(text.c_str(), nullptr));
  for (const double factor : o.upsampling_factors)
    check_arg(factor > 0, "--train-data-upsampling-factors must be positive numbers");
  check_arg(o.upsampling_factors.empty() || o.resampled,
            "--train-data-upsampling-factors needs --dataset-resampled");
  finish_views(o, raw);
}

void finish(Options& o, const RawFlags& raw) {
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
  check_arg(!o.lock_image_freeze_bn_stats || o.lock.image,
            "--lock-image-freeze-bn-stats needs --lock-image");
  check_arg(o.captions.first_probability >= 0 && o.captions.first_probability <= 1,
            "--first-caption-prob must be from 0 to 1");
  check_arg(o.concept_table == 0 || o.label_positives, "--concept-table needs --label-key");
  check_arg(o.concept_align == 0 || o.concept_table > 0, "--concept-align needs --concept-table");
  check_arg(o.warmup >= 0 && o.save_frequency >= 0, "--warmup and --save-frequency must be >= 0");
  set_defaults_by_model(o.optimizer, o.model);
  if (raw.lr) o.optimizer.lr = *raw.lr;
  if (raw.beta1) o.optimizer.beta1 = *raw.beta1;
  if (raw.beta2) o.optimizer.beta2 = *raw.beta2;
  if (raw.eps) o.optimizer.eps = *raw.eps;
  const std::map<std::string, ScheduleKind> kinds = {
      {"cosine", ScheduleKind::cosine},
      {"const", ScheduleKind::constant},
      {"const-cooldown", ScheduleKind::constant_cooldown}};
  o.scheduler = raw.skip_scheduler ? ScheduleKind::none : kinds.at(raw.scheduler);
  check_arg(o.scheduler != ScheduleKind::constant_cooldown || o.epochs_cooldown,
            "--lr-scheduler const-cooldown needs --epochs-cooldown");
  o.tensorboard = !raw.report_to.empty();
  o.augment.parse(raw.aug_cfg);
  finish_techniques(o, raw);
  if (o.name.empty()) o.name = default_name(o);
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CLI::App app("Trains CLIP models; flags are those of open_clip's trainer.", "openclip-train");
  app.footer(kExamples);
  // As argparse: of a repeated flag the last one counts.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  Options options;
  RawFlags raw;
  add_flags(app, options, raw);
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

}  // namespace openclip::train
