#include "trainer/flags.h"

namespace openclip::train {
namespace {

// open_clip's flags for what happens here in any case.
void ignored(int64_t) {}

void add_data(CLI::App& app, Options& o, RawFlags& raw) {
  app.add_option("--train-data", o.train_data,
                 "Shards ({000..123} and * are expanded, :: joins; also http(s) addresses and "
                 "pipe:COMMAND), a .csv/.tsv file, or a folder")
      ->group("Data");
  app.add_flag("--dataset-resampled", o.resampled, "Draw shards with replacement")->group("Data");
  app.add_option("--train-data-upsampling-factors", raw.upsampling_factors,
                 "With --dataset-resampled: how often each ::-part is drawn, joined by ::")
      ->group("Data");
  app.add_option("--shard-lanes", o.lanes,
                 "Shards that are read side by side, over all processes; the order of samples is "
                 "the same for every number of processes that divides it. 0 = choose")
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
  app.add_option("--batch-size", o.batch_size, "Pairs of a batch, for each process")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str()
      ->group("Data");
}

void add_model(CLI::App& app, Options& o, RawFlags& raw) {
  app.add_option("--model", o.model,
                 "Name (ViT-B-32), config .json, or a model folder (local-dir:DIR)")
      ->capture_default_str()
      ->group("Model");
  app.add_option("--pretrained", o.pretrained, "Weights to start from: a file, or a model folder")
      ->group("Model");
  app.add_option("--pretrained-image", o.pretrained_image,
                 "Image tower to start from: a file, or a folder such as --stage visual writes")
      ->group("Model");
  app.add_option("--tokenizer", o.tokenizer, "Folder with tokenizer.json")->group("Model");
  app.add_option("--force-image-size", o.force_image_size, "")->group("Model");
  app.add_flag("--force-quick-gelu", o.force_quick_gelu, "")->group("Model");
  app.add_flag("--lock-image", o.lock.image, "Keep the image tower's weights")->group("Model");
  app.add_flag("--lock-image-freeze-bn-stats", o.lock_image_freeze_bn_stats,
               "With --lock-image: BatchNorm uses its running statistics and keeps them")
      ->group("Model");
  app.add_option("--lock-image-unlocked-groups", o.lock.image_unlocked_groups,
                 "With --lock-image: so many layer groups from the end are trained")
      ->group("Model");
  app.add_flag("--lock-text", o.lock.text, "Keep the text tower's weights")->group("Model");
  app.add_option("--lock-text-unlocked-layers", o.lock.text_unlocked_layers,
                 "With --lock-text: so many layer groups from the end are trained")
      ->group("Model");
  app.add_flag_function("--lock-text-freeze-layer-norm", ignored,
                        "Accepted: LayerNorms are weights like others, as in open_clip")
      ->group("Model");
  app.add_flag("--grad-checkpointing", o.grad_checkpointing,
               "Compute the blocks again in the backward pass instead of keeping their activations")
      ->group("Model");
  app.add_option("--force-patch-dropout", o.patch_dropout,
                 "Share of a ViT's patches that are left out while training")
      ->check(CLI::Range(0.0, 0.99))
      ->group("Model");
  app.add_option("--lora-rank", o.lora_rank,
                 "Train adapters of this rank on attention and MLP layers instead of the weights; "
                 "checkpoints hold them merged")
      ->check(CLI::Range(0, 4096))
      ->group("Model");
  app.add_option("--lora-alpha", raw.lora_alpha, "Adapters count alpha / rank; default: the rank")
      ->group("Model");
  app.add_option("--distill-model", o.distill_model, "Teacher: name, config or model folder")
      ->group("Model");
  app.add_option("--distill-pretrained", o.distill_pretrained, "The teacher's weights")
      ->group("Model");
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
                 "key=value …: scale, ratio, color_jitter, color_jitter_prob, gray_scale_prob, "
                 "flip_prob, blur_prob; and for RGBA drawings style=P (redraw with probability P "
                 "on random backgrounds), "
                 "style_scale, style_rotate, style_shear, style_translate")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("Model");
}

void add_optimiser(CLI::App& app, Options& o, RawFlags& raw) {
  const char* group = "Optimiser";
  app.add_option("--opt", raw.optimizer, "")
      ->check(CLI::IsMember({"adamw", "nadamw", "lion"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--image-layer-decay,--visual-layer-decay", o.image_layer_decay,
                 "A layer's learning rate is this factor times that of the next one")
      ->check(CLI::Range(0.0, 1.0))
      ->group(group);
  app.add_option("--text-layer-decay", o.text_layer_decay, "The same in the text tower")
      ->check(CLI::Range(0.0, 1.0))
      ->group(group);
  app.add_option("--epochs", o.epochs, "")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--epochs-cooldown", o.epochs_cooldown, "Of const-cooldown")->group(group);
  app.add_option("--lr", raw.lr, "Default: 5e-4")->group(group);
  app.add_option("--beta1", raw.beta1, "Default: 0.9")->group(group);
  app.add_option("--beta2", raw.beta2, "Default: 0.98 for ViTs, else 0.999")->group(group);
  app.add_option("--eps", raw.eps, "Default: 1e-6 for ViTs, else 1e-8")->group(group);
  app.add_option("--wd", o.optimizer.weight_decay, "")->capture_default_str()->group(group);
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
                 "amp_bf16 falls back to fp32 on processors without bf16 instructions; amp is f16 "
                 "with a loss scale")
      ->check(CLI::IsMember({"fp32", "amp", "amp_bf16", "amp_bfloat16"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--device", o.device, "cpu or cuda[:N]")->capture_default_str()->group(group);
  app.add_option("--threads", o.threads, "Of the step; 0 = all cores")->group(group);
}

void add_loss(CLI::App& app, Options& o, RawFlags& raw) {
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

void add_objective(CLI::App& app, Options& o, RawFlags& raw) {
  const char* group = "Loss";
  app.add_option("--stage", raw.stage,
                 "pairs: pictures with captions. visual: pictures alone, two views of one attract "
                 "each other (SimCLR); its image tower goes to --pretrained-image of the next run")
      ->check(CLI::IsMember({"pairs", "visual"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--ssl-weight", o.views,
                 "Adds the visual stage's loss to that of the pairs (SLIP), with this weight")
      ->check(CLI::NonNegativeNumber)
      ->group(group);
  app.add_option("--ssl-temperature", o.views_temperature, "Of the visual stage's loss")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  app.add_option("--ssl-aug-cfg", raw.ssl_aug_cfg,
                 "Changes to the two views' augmentation, which is SimCLR's; keys of --aug-cfg")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group(group);
  app.add_option("--coca-contrastive-loss-weight", o.coca_contrastive_loss_weight,
                 "Of a CoCa's contrastive loss")
      ->capture_default_str();
  app.add_option("--coca-caption-loss-weight", o.coca_caption_loss_weight,
                 "Of a CoCa's caption loss")
      ->capture_default_str();
  app.add_flag("--siglip", o.siglip, "SigLIP's sigmoid loss; starts with scale 10 and bias -10")
      ->group(group);
  app.add_flag_function("--local-loss", ignored,
                        "Accepted: each process computes its own rows anyway")
      ->group(group);
  app.add_flag_function("--gather-with-grad", ignored,
                        "Accepted: gradients are always those of the whole batch")
      ->group(group);
  app.add_option_function<std::string>(
         "--loss-dist-impl", [](const std::string&) {},
         "Accepted: captions go around a ring of processes")
      ->group(group);
}

void add_processes(CLI::App& app, Options& o) {
  const char* group = "Processes";
  app.add_option("--nproc", o.nproc,
                 "Start so many processes on this machine (torchrun, Slurm and mpirun work too)")
      ->check(CLI::Range(1, 1024))
      ->group(group);
  app.add_option("--dist-backend", o.dist_backend, "auto: nccl on GPUs, else gloo")
      ->check(CLI::IsMember({"auto", "gloo", "nccl"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--dist-url", o.dist_url, "Where the processes meet: tcp://HOST:PORT")
      ->group(group);
  app.add_flag("--shard-optimizer", o.optimizer.sharded,
               "Each process keeps its share of the optimiser's state (ZeRO-1)")
      ->group(group);
}

void add_evaluation(CLI::App& app, Options& o) {
  const char* group = "Evaluation";
  app.add_option("--val-data", o.val_data, "Pairs for the validation loss and retrieval")
      ->group(group);
  app.add_option("--val-num-samples", o.val_num_samples, "At most so many; 0 = all")->group(group);
  app.add_option("--val-frequency", o.val_frequency, "Epochs")->capture_default_str()->group(group);
  app.add_option("--imagenet-val", o.zeroshot_data,
                 "Zero-shot classification: a folder with one folder of pictures for each class")
      ->group(group);
  app.add_option("--zeroshot-frequency", o.zeroshot_frequency, "Epochs")
      ->capture_default_str()
      ->group(group);
  app.add_option("--zeroshot-classnames", o.zeroshot_classnames,
                 "A line for each class folder, in the order of their names; default: those names")
      ->group(group);
  app.add_option("--zeroshot-templates", o.zeroshot_templates,
                 "A line for each template, with {} for the class; default: a photo of a {}.")
      ->group(group);
}

void add_output(CLI::App& app, Options& o, RawFlags& raw) {
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

}  // namespace

void add_flags(CLI::App& app, Options& options, RawFlags& raw) {
  add_data(app, options, raw);
  add_model(app, options, raw);
  add_optimiser(app, options, raw);
  add_objective(app, options, raw);
  add_loss(app, options, raw);
  add_processes(app, options);
  add_evaluation(app, options);
  add_output(app, options, raw);
}

}  // namespace openclip::train
