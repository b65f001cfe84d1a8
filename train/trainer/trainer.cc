#include "trainer/trainer.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <cmath>
#include <filesystem>

#include "augment/hog.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/loader.h"
#include "loss/auxiliary.h"
#include "model/towers.h"
#include "optim/ema.h"
#include "trainer/checkpoint.h"
#include "trainer/contact_sheet.h"
#include "trainer/device.h"
#include "trainer/run_log.h"
#include "trainer/setup.h"
#include "trainer/stop_signal.h"

namespace openclip::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t pooled_width(const ModelConfig& config) {
  return int64_t{config.vision.width} * (config.vision.is_resnet ? 32 : 1);
}

void lock_towers(TensorStore& model, const Options& options) {
  for (NamedParameter& entry : model.entries()) {
    const bool visual = entry.name.starts_with("visual.");
    const bool scale = entry.name == "logit_scale" || entry.name == "logit_bias";
    if (!entry.trainable || scale || !(visual ? options.lock_image : options.lock_text)) continue;
    entry.tensor.set_requires_grad(false);
    entry.trainable = false;
  }
}

class Run {
 public:
  explicit Run(const Options& options)
      : options_(options),
        folder_((std::filesystem::path(options.logs) / options.name).string()),
        checkpoints_(folder_ + "/checkpoints"),
        log_(folder_, options.tensorboard, !options.resume.empty()),
        source_(find_model(options)),
        device_(open_device(options.device)) {
    at::set_num_threads(options.threads > 0 ? options.threads : available_threads());
    write_file_atomic(folder_ + "/params.txt", describe(options));
    open_data();
    build_model();
    if (!options.resume.empty()) resume();
  }

  void run();

 private:
  void open_data();
  void build_model();
  void resume();
  Loader start_loader(int64_t first_batch);
  StepReport step(Loader& loader);
  void after_epoch();
  void save(const std::string& name);

  TrainingState state() {
    return {source_.config, model_, auxiliary_, *optimizer_, ema_.get(), source_.tokenizer_folder};
  }
  const ModelConfig& config() const { return source_.config; }
  int64_t steps_per_epoch() const { return position_.batches_per_epoch / options_.accum_freq; }

  const Options& options_;
  const std::string folder_, checkpoints_;
  RunLog log_;
  ModelSource source_;
  at::Device device_;
  std::unique_ptr<Dataset> dataset_;
  std::unique_ptr<Augmenter> augmenter_;
  TextEncoder encode_;
  TensorStore model_, auxiliary_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<Ema> ema_;
  std::unique_ptr<Objective> objective_;
  Schedule schedule_;
  Position position_;
};

void Run::open_data() {
  const auto log = [this](const std::string& text) { log_.line(text); };
  dataset_ = open_dataset(options_, config(), log);
  if (options_.extra_texts > 0 && (dataset_->size() < 1 || dataset_->text(0) == nullptr))
    throw Error(
        "--extra-texts draws samples by number, which needs --cache-decoded (and that they fit), a "
        "CSV file or a folder");
  encode_ = open_tokenizer(source_);
  augmenter_ = std::make_unique<Augmenter>(options_.augment, config().preprocess,
                                           config().vision.image_size);
  int64_t samples = options_.train_num_samples;
  if (samples == 0) samples = dataset_->size();
  if (samples < 0)
    throw InvalidArgument(
        "--train-num-samples is needed: shards do not say how many samples they hold "
        "(or --cache-decoded, if they fit in memory)");
  position_.batches_per_epoch =
      samples / options_.batch_size / options_.accum_freq * options_.accum_freq;
  if (position_.batches_per_epoch == 0)
    throw Error(fmt::format("{} samples are less than one step of {} x {}", samples,
                            options_.batch_size, options_.accum_freq));
  position_.seed = options_.seed;
  log_.line(fmt::format("an epoch has {} samples in {} steps", samples, steps_per_epoch()));
}

void Run::build_model() {
  model_ = TensorStore::create(model_tensors(config()), options_.seed);
  if (!source_.weights.empty()) load_weights(model_, source_.weights);
  lock_towers(model_, options_);
  if (options_.concept_table > 0) {
    const int64_t concepts = dataset_->max_label() + 1;
    if (concepts <= 0)
      throw Error(
          fmt::format("--concept-table: no sample has a label in '{}'; labels are counted "
                      "at the start, which needs --cache-decoded, a CSV file or a folder",
                      options_.captions.label_key));
    ConceptTable::add_tensors(auxiliary_, concepts, config().embed_dim, options_.seed + 1);
  }
  if (options_.hog_distill > 0)
    HogHead::add_tensors(auxiliary_, pooled_width(config()), kHogLength, options_.seed + 2);
  model_.to(device_);
  auxiliary_.to(device_);
  optimizer_ =
      std::make_unique<AdamW>(std::vector<TensorStore*>{&model_, &auxiliary_}, options_.adamw);
  if (options_.ema > 0) ema_ = std::make_unique<Ema>(model_, options_.ema);
  const bool bf16 = options_.precision != "fp32" && has_fast_bf16(device_);
  if (options_.precision != "fp32" && !bf16)
    log_.line("this processor has no bf16 instructions: training in fp32");
  objective_ = std::make_unique<Objective>(
      config(), model_, auxiliary_,
      ObjectiveOptions{.label_positives = options_.label_positives,
                       .concept_table = options_.concept_table,
                       .concept_align = options_.concept_align,
                       .hog_distill = options_.hog_distill,
                       .bf16 = bf16,
                       .image_locked = options_.lock_image,
                       .freeze_batch_norm = options_.lock_image_freeze_bn_stats});
  schedule_ = {.kind = options_.scheduler,
               .base_lr = options_.adamw.lr,
               .warmup_steps = options_.warmup,
               .total_steps = steps_per_epoch() * options_.epochs,
               .cooldown_steps = steps_per_epoch() * options_.epochs_cooldown.value_or(0),
               .cooldown_power = options_.lr_cooldown_power,
               .cooldown_end_lr = options_.lr_cooldown_end};
  log_.line(fmt::format("{}: {:.2f} million weights, {} threads, {}", config().name,
                        static_cast<double>(model_.trainable_count()) * 1e-6, at::get_num_threads(),
                        bf16 ? "bf16 autocast" : "fp32"));
}

void Run::resume() {
  std::string path = options_.resume;
  if (path == "latest") {
    const std::optional<std::string> latest = latest_checkpoint(checkpoints_);
    if (!latest) {
      log_.line("--resume latest: no checkpoint yet, starting from scratch");
      return;
    }
    path = *latest;
  }
  TrainingState state = this->state();
  const Position saved = load_checkpoint(path, state);
  if (saved.seed != position_.seed || saved.batches_per_epoch != position_.batches_per_epoch)
    log_.line(
        "seed, batch size or number of samples differ from the checkpoint's: the data "
        "continue at the same step, but not as the interrupted run would have");
  position_.step = saved.step;
  position_.epoch = saved.step / steps_per_epoch();
  log_.line(fmt::format("resumed {} at step {}", path, saved.step));
}

Loader Run::start_loader(int64_t first_batch) {
  return Loader(*dataset_, *augmenter_, encode_,
                {.batch_size = options_.batch_size,
                 .batches_per_epoch = position_.batches_per_epoch,
                 .workers = options_.workers,
                 .prefetch = static_cast<int>(2 + options_.accum_freq),
                 .seed = options_.seed,
                 .image_size = config().vision.image_size,
                 .context_length = config().text.context_length,
                 .pad_id = config().text.pad_id,
                 .with_hog = options_.hog_distill > 0,
                 .extra_texts = options_.extra_texts,
                 .captions = options_.captions},
                first_batch, [this](const std::string& text) { log_.line("skipped: " + text); });
}

StepReport Run::step(Loader& loader) {
  const Clock::time_point start = Clock::now();
  std::vector<Batch> batches;
  int64_t pairs = 0;
  for (int64_t i = 0; i < options_.accum_freq; ++i) {
    batches.push_back(loader.next());
    pairs += batches.back().ids.size(0);
    to_device(batches.back(), device_);
  }
  const double data_seconds = seconds_since(start);
  const double lr = schedule_.lr(position_.step);
  optimizer_->zero_grad();
  const StepLosses losses = objective_->accumulate_gradients(batches);
  if (!std::isfinite(losses.total))
    throw Error(
        fmt::format("the loss is {} at step {}: lower --lr, raise --warmup or set "
                    "--grad-clip-norm; the last checkpoint is intact",
                    losses.total, position_.step + 1));
  if (options_.grad_clip_norm > 0) optimizer_->clip_grad_norm(options_.grad_clip_norm);
  optimizer_->step(lr);
  {
    const c10::NoGradGuard no_grad;
    at::Tensor scale = model_.get("logit_scale");
    scale.clamp_(0, std::log(100.0));
  }
  ++position_.step;
  if (ema_) ema_->update(model_, position_.step);

  StepReport report;
  report.step = position_.step;
  report.total_steps = schedule_.total_steps;
  report.epoch = (position_.step - 1) / steps_per_epoch();
  report.losses = losses;
  report.lr = lr;
  report.logit_scale = std::exp(model_.get("logit_scale").item<double>());
  report.data_seconds = data_seconds;
  report.step_seconds = seconds_since(start);
  report.pairs_per_second = static_cast<double>(pairs) / report.step_seconds;
  return report;
}

void Run::save(const std::string& name) {
  save_checkpoint(checkpoints_, name, state(), position_);
  log_.line(fmt::format("saved {}/{} at step {}", checkpoints_, name, position_.step));
}

void Run::after_epoch() {
  position_.epoch = position_.step / steps_per_epoch();
  const bool last = position_.epoch == options_.epochs;
  if (last || (options_.save_frequency > 0 && position_.epoch % options_.save_frequency == 0)) {
    save(fmt::format("epoch_{}", position_.epoch));
    if (options_.delete_previous_checkpoint)
      std::filesystem::remove_all(
          fmt::format("{}/epoch_{}", checkpoints_, position_.epoch - options_.save_frequency));
  }
  if (options_.save_most_recent) save("epoch_latest");
}

void Run::run() {
  std::filesystem::create_directories(checkpoints_);
  Loader loader = start_loader(position_.step * options_.accum_freq);
  if (!options_.dump_batch.empty()) {
    write_contact_sheet(options_.dump_batch, loader.next().pixels, config().preprocess);
    return;
  }
  const StopSignal stop;
  const Clock::time_point start = Clock::now();
  StepReport averaged;  // over the steps since the last log line
  int64_t averaged_steps = 0;
  while (position_.step < schedule_.total_steps) {
    StepReport report = step(loader);
    averaged.step_seconds += report.step_seconds;
    averaged.data_seconds += report.data_seconds;
    averaged.pairs_per_second += report.pairs_per_second * report.step_seconds;
    ++averaged_steps;
    log_.progress(report);
    const bool epoch_done = position_.step % steps_per_epoch() == 0;
    if (position_.step % options_.log_every_n_steps == 0 || epoch_done || position_.step == 1) {
      report.pairs_per_second = averaged.pairs_per_second / averaged.step_seconds;
      report.step_seconds = averaged.step_seconds / static_cast<double>(averaged_steps);
      report.data_seconds = averaged.data_seconds / static_cast<double>(averaged_steps);
      log_.report(report);
      averaged = {};
      averaged_steps = 0;
    }
    if (epoch_done) after_epoch();
    const bool time_up =
        options_.max_minutes > 0 && seconds_since(start) > options_.max_minutes * 60;
    if (stop.requested() || time_up) {
      if (!epoch_done || !options_.save_most_recent) save("epoch_latest");
      log_.line(time_up ? "stopped: --max-minutes is over; go on with --resume latest"
                        : "stopped by a signal; go on with --resume latest");
      return;
    }
    if (!epoch_done && options_.save_every_n_steps > 0 &&
        position_.step % options_.save_every_n_steps == 0)
      save("epoch_latest");
  }
}

}  // namespace

void train(const Options& options) { Run(options).run(); }

}  // namespace openclip::train
