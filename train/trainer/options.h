// What the user asked for: open_clip's flags, and a few of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "augment/augment.h"
#include "data/sample.h"
#include "optim/layer_groups.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace openclip::train {

struct Options {
  // Data
  std::string train_data;
  int64_t train_num_samples = 0;      // 0: as many as there are
  std::string dataset_type = "auto";  // auto | webdataset | csv | folder | synthetic
  std::string csv_separator = "\t", csv_image_key = "filepath", csv_caption_key = "title";
  std::string image_key = "jpg;png;jpeg;webp", text_key = "txt";
  bool resampled = false;
  std::vector<double> upsampling_factors;
  int lanes = 0;  // of shard reading; 0 = choose
  CaptionOptions captions;
  int64_t max_image_pixels = 25'000'000;
  int64_t cache_bytes = 0;
  int workers = 4;
  int64_t batch_size = 64;

  // Model
  std::string model = "RN50", pretrained, tokenizer;
  std::optional<int> force_image_size;
  bool force_quick_gelu = false;
  std::string pretrained_image;
  LockOptions lock;
  bool lock_image_freeze_bn_stats = false;
  bool grad_checkpointing = false;
  double patch_dropout = 0;
  int64_t lora_rank = 0;  // 0 = off
  double lora_alpha = 0;
  std::string distill_model, distill_pretrained;
  std::vector<float> image_mean, image_std;
  std::string image_interpolation, image_resize_mode;
  std::optional<int> image_fill;
  AugmentOptions augment;

  // Optimiser and schedule
  int64_t epochs = 32;
  std::optional<int64_t> epochs_cooldown;
  OptimizerOptions optimizer;
  double image_layer_decay = 1, text_layer_decay = 1;
  int64_t warmup = 10000;
  ScheduleKind scheduler = ScheduleKind::cosine;
  double lr_cooldown_end = 0, lr_cooldown_power = 1;
  double grad_clip_norm = 0;  // 0 = off
  int64_t accum_freq = 1;
  double ema = 0;  // 0 = off
  uint64_t seed = 0;
  std::string precision = "amp_bf16";
  std::string device = "cpu";
  int threads = 0;

  // Processes
  int nproc = 1;
  std::string dist_backend = "auto", dist_url;

  // Loss
  bool visual_stage = false;  // pictures alone
  bool siglip = false;
  double coca_contrastive_loss_weight = 1, coca_caption_loss_weight = 2;
  double views = 0, views_temperature = 0.1;
  AugmentOptions view_augment;
  bool label_positives = false;
  int64_t extra_texts = 0;
  double concept_table = 0, concept_align = 0, hog_distill = 0;

  // Evaluation between epochs
  std::string val_data, zeroshot_data, zeroshot_classnames, zeroshot_templates;
  int64_t val_num_samples = 0, val_frequency = 1, zeroshot_frequency = 1;

  // Checkpoints and logs
  std::string logs = "./logs/", name;
  std::string resume;
  int64_t save_frequency = 1, save_every_n_steps = 0;
  bool save_most_recent = false, delete_previous_checkpoint = false;
  double max_minutes = 0;
  int64_t log_every_n_steps = 100;
  bool tensorboard = false;
  std::string dump_batch;
};

/// The result of reading the command line: options, or what to print and the exit code.
struct CommandLine {
  std::optional<Options> options;
  std::string output;
  int exit_code = 0;
};

/// Reads the flags. `--help` gives exit code 0, wrong usage 2.
CommandLine parse_command_line(int argc, char** argv);

/// All options as "key: value" lines, for params.txt.
std::string describe(const Options& options);

}  // namespace openclip::train
