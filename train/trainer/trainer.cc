#include "trainer/trainer.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "dist/launch.h"
#include "trainer/checkpoint_writer.h"
#include "trainer/contact_sheet.h"
#include "trainer/device.h"
#include "trainer/evaluation.h"
#include "trainer/html_report.h"
#include "trainer/loss_scale.h"
#include "trainer/parts.h"
#include "trainer/stop_signal.h"

namespace openclip::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

at::Device device_of(const Options& options, const Launch& launch) {
  const bool own_gpu = options.device == "cuda" && launch.size > 1;
  return open_device(own_gpu ? fmt::format("cuda:{}", launch.local_rank) : options.device);
}

class Run {
 public:
  Run(const Options& options, const Launch& launch)
      : options_(options),
        device_(device_of(options, launch)),
        processes_(connect(launch, options.dist_backend, device_)),
        folder_((std::filesystem::path(options.logs) / options.name).string()),
        checkpoints_(folder_ + "/checkpoints"),
        log_(folder_, options.tensorboard, !options.resume.empty(), processes_->is_first()),
        source_(find_model(options)),
        feed_(make_feed(options, source_, processes_->size(), log_)),
        learner_(
            make_learner(options, source_, device_, feed_.dataset->max_label(), *processes_, log_)),
        loss_scale_(learner_->scales_loss ? LossScale::kStart : 1, 0),
        writer_(checkpoints_, [this](const std::string& name) {
          log_.line(fmt::format("saved {}/{}", checkpoints_, name));
        }) {
    position_.seed = options.seed;
    position_.steps_per_epoch = feed_.batches_per_epoch / options.accum_freq;
    position_.samples_per_step = options.batch_size * options.accum_freq * processes_->size();
    schedule_ = {.kind = options.scheduler,
                 .base_lr = options.optimizer.lr,
                 .warmup_steps = options.warmup,
                 .total_steps = position_.steps_per_epoch * options.epochs,
                 .cooldown_steps = position_.steps_per_epoch * options.epochs_cooldown.value_or(0),
                 .cooldown_power = options.lr_cooldown_power,
                 .cooldown_end_lr = options.lr_cooldown_end};
    if (processes_->is_first()) {
      write_file_atomic(folder_ + "/params.txt", describe(options));
      std::filesystem::create_directories(checkpoints_);
      remove_unfinished(checkpoints_);
    }
    if (!options.resume.empty()) resume();
  }

  void run();

 private:
  void resume();
  StepReport step(Loader& loader);
  void update_weights(double lr);
  void train_until_done(Loader& loader);
  bool should_stop(const StopSignal& stop, Clock::time_point start, bool& time_up);
  void after_epoch();
  void evaluate();
  void save(const std::string& name, const std::string& replaces = {});

  TrainingState state() {
    return {source_.config,       learner_->model,     learner_->auxiliary,
            *learner_->optimizer, learner_->ema.get(), source_.tokenizer_folder};
  }

  const Options& options_;
  const at::Device device_;
  std::unique_ptr<Communicator> processes_;
  const std::string folder_, checkpoints_;
  RunLog log_;
  const ModelSource source_;
  Feed feed_;
  std::unique_ptr<Learner> learner_;
  LossScale loss_scale_;
  Schedule schedule_;
  Position position_;
  CheckpointWriter writer_;
};

void Run::resume() {
  std::string path = options_.resume;
  if (path == "latest")  // what the first process sees
    path = processes_->broadcast_text(
        processes_->is_first() ? latest_checkpoint(checkpoints_).value_or("") : "");
  if (path.empty()) {
    log_.line("--resume latest: no checkpoint yet, starting from scratch");
    return;
  }
  TrainingState state = this->state();
  const Position saved = load_checkpoint(path, state);
  if (saved.seed != position_.seed || saved.steps_per_epoch != position_.steps_per_epoch ||
      saved.samples_per_step != position_.samples_per_step)
    log_.line(
        "seed, samples of a step or of an epoch differ from the checkpoint's: the data "
        "continue at the same step, but not as the interrupted run would have");
  position_.step = saved.step;
  position_.epoch = saved.step / position_.steps_per_epoch;
  if (learner_->scales_loss) loss_scale_ = LossScale(saved.loss_scale, saved.scaled_steps);
  log_.line(fmt::format("resumed {} at step {}", path, saved.step));
}

void Run::update_weights(double lr) {
  Optimizer& optimizer = *learner_->optimizer;
  if (learner_->scales_loss) {
    const bool finite = optimizer.scale_gradients(1 / static_cast<double>(loss_scale_.value()));
    loss_scale_.update(finite);
    if (!finite) return;
  }
  if (options_.grad_clip_norm > 0) optimizer.clip_grad_norm(options_.grad_clip_norm);
  optimizer.step(lr);
  const c10::NoGradGuard no_grad;
  at::Tensor scale = learner_->model.get("logit_scale");
  scale.clamp_(0, std::log(100.0));
}

StepReport Run::step(Loader& loader) {
  const Clock::time_point start = Clock::now();
  std::vector<Batch> batches;
  int64_t pairs = 0;
  for (int64_t i = 0; i < options_.accum_freq; ++i) {
    batches.push_back(loader.next());
    pairs += batches.back().rows.size(0);
    to_device(batches.back(), device_);
  }
  const double data_seconds = seconds_since(start);
  const double lr = schedule_.lr(position_.step);
  learner_->optimizer->zero_grad();
  learner_->objective->set_loss_scale(static_cast<double>(loss_scale_.value()));
  const StepLosses losses =
      learner_->objective->accumulate_gradients(batches, learner_->reducer.get());
  if (!std::isfinite(losses.total))
    throw Error(
        fmt::format("the loss is {} at step {}: lower --lr, raise --warmup or set "
                    "--grad-clip-norm; the last checkpoint is intact",
                    losses.total, position_.step + 1));
  update_weights(lr);
  ++position_.step;
  if (learner_->ema) learner_->ema->update(learner_->model, position_.step);

  StepReport report;
  report.step = position_.step;
  report.total_steps = schedule_.total_steps;
  report.epoch = (position_.step - 1) / position_.steps_per_epoch;
  report.losses = losses;
  report.lr = lr;
  report.logit_scale = std::exp(learner_->model.get("logit_scale").item<double>());
  report.data_seconds = data_seconds;
  report.step_seconds = seconds_since(start);
  report.pairs_per_second = static_cast<double>(pairs * processes_->size()) / report.step_seconds;
  return report;
}

// All processes take part in the snapshot; the first writes it while training goes on.
void Run::save(const std::string& name, const std::string& replaces) {
  position_.loss_scale = loss_scale_.value();
  position_.scaled_steps = loss_scale_.good_steps();
  writer_.wait();  // never two snapshots in memory
  Snapshot snapshot = take_snapshot(state(), position_, processes_->is_first());
  if (!processes_->is_first()) return;
  log_.line(fmt::format("saving {} at step {}", name, position_.step));
  writer_.write(name, std::move(snapshot), replaces);
}

void Run::after_epoch() {
  position_.epoch = position_.step / position_.steps_per_epoch;
  const bool last = position_.epoch == options_.epochs;
  if (last || (options_.save_frequency > 0 && position_.epoch % options_.save_frequency == 0))
    save(fmt::format("epoch_{}", position_.epoch),
         options_.delete_previous_checkpoint
             ? fmt::format("epoch_{}", position_.epoch - options_.save_frequency)
             : "");
  if (options_.save_most_recent) save("epoch_latest");
  if (processes_->is_first()) evaluate();  // the others wait in the next step
}

void Run::evaluate() {
  const bool last = position_.epoch == options_.epochs;
  const auto due = [&](const std::string& data, int64_t frequency) {
    return !data.empty() && frequency > 0 && (last || position_.epoch % frequency == 0);
  };
  const EvaluatedModel model{source_.config,
                             learner_->ema ? learner_->ema->weights() : learner_->model, device_,
                             feed_.encode};
  const auto log = [this](const std::string& text) { log_.line(text); };
  Results results;
  if (due(options_.val_data, options_.val_frequency))
    results = evaluate_pairs(model, *open_validation_data(options_, source_.config, log), options_);
  if (due(options_.zeroshot_data, options_.zeroshot_frequency))
    for (auto& result : evaluate_zero_shot(model, options_)) results.push_back(result);
  log_.results(position_.step, position_.epoch, results);
}

// All processes stop at the same step.
bool Run::should_stop(const StopSignal& stop, Clock::time_point start, bool& time_up) {
  const bool late = options_.max_minutes > 0 && seconds_since(start) > options_.max_minutes * 60;
  at::Tensor votes = at::tensor({stop.requested() ? 1.f : 0.f, late ? 1.f : 0.f}).to(device_);
  processes_->all_reduce(votes);
  votes = votes.cpu();
  time_up = votes.data_ptr<float>()[1] > 0;
  return time_up || votes.data_ptr<float>()[0] > 0;
}

void Run::train_until_done(Loader& loader) {
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
    const bool epoch_done = position_.step % position_.steps_per_epoch == 0;
    if (position_.step % options_.log_every_n_steps == 0 || epoch_done || position_.step == 1) {
      report.pairs_per_second = averaged.pairs_per_second / averaged.step_seconds;
      report.step_seconds = averaged.step_seconds / static_cast<double>(averaged_steps);
      report.data_seconds = averaged.data_seconds / static_cast<double>(averaged_steps);
      log_.report(report);
      averaged = {};
      averaged_steps = 0;
    }
    if (epoch_done) after_epoch();
    bool time_up = false;
    if (should_stop(stop, start, time_up)) {
      if (!epoch_done || !options_.save_most_recent) save("epoch_latest");
      writer_.wait();
      log_.line(time_up ? "stopped: --max-minutes is over; go on with --resume latest"
                        : "stopped by a signal; go on with --resume latest");
      return;
    }
    if (!epoch_done && options_.save_every_n_steps > 0 &&
        position_.step % options_.save_every_n_steps == 0)
      save("epoch_latest");
  }
}

void Run::run() {
  const std::unique_ptr<Loader> loader =
      feed_.start(options_, source_.config, {processes_->rank(), processes_->size()},
                  position_.step * options_.accum_freq, log_);
  if (!options_.dump_batch.empty()) {
    const Batch batch = loader->next();
    if (processes_->is_first())
      write_contact_sheet(options_.dump_batch, batch.views.defined() ? batch.views : batch.pixels,
                          source_.config.preprocess);
    return;
  }
  train_until_done(*loader);
  writer_.wait();
  if (processes_->is_first()) write_html_report(folder_);
}

}  // namespace

void train(const Options& options) {
  const Launch launch = detect_launch(options.dist_url);
  at::set_num_threads(options.threads > 0 ? options.threads
                                          : std::max(1, available_threads() / launch.local_size));
  Run(options, launch).run();
}

}  // namespace openclip::train
