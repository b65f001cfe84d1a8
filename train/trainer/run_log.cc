#include "trainer/run_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <filesystem>

#include "base/error.h"

namespace openclip::train {
namespace {

std::string clock_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d,%H:%M:%S", &local);
  return text;
}

std::string duration(double seconds) {
  const long s = static_cast<long>(seconds);
  return s >= 3600 ? fmt::format("{}h{:02}m", s / 3600, s / 60 % 60)
                   : fmt::format("{}m{:02}s", s / 60, s % 60);
}

std::string loss_text(const StepLosses& losses) {
  std::string text = fmt::format("loss {:.4f}", losses.total);
  if (losses.contrastive != losses.total) text += fmt::format(" clip {:.4f}", losses.contrastive);
  if (losses.views != 0) text += fmt::format(" ssl {:.4f}", losses.views);
  if (losses.caption != 0) text += fmt::format(" caption {:.4f}", losses.caption);
  if (losses.distillation != 0) text += fmt::format(" distill {:.4f}", losses.distillation);
  if (losses.concept_table != 0) text += fmt::format(" table {:.4f}", losses.concept_table);
  if (losses.concept_align != 0) text += fmt::format(" align {:.4f}", losses.concept_align);
  if (losses.hog != 0) text += fmt::format(" hog {:.4f}", losses.hog);
  return text;
}

std::ofstream open(const std::string& path, bool append) {
  std::ofstream file(path, append ? std::ios::app : std::ios::trunc);
  if (!file) throw IoError("cannot write " + path);
  return file;
}

}  // namespace

RunLog::RunLog(const std::string& folder, bool tensorboard, bool append, bool is_first)
    : is_first_(is_first), terminal_(::isatty(STDERR_FILENO) == 1) {
  if (!is_first) return;
  std::error_code ignored;  // the files below say it better
  std::filesystem::create_directories(folder, ignored);
  out_ = open(folder + "/out.log", append);
  const bool has_csv = append && std::filesystem::exists(folder + "/train.csv");
  csv_ = open(folder + "/train.csv", append);
  results_ = open(folder + "/results.jsonl", append);
  if (!has_csv)
    csv_ << "step,epoch,loss,contrastive_loss,concept_loss,align_loss,hog_loss,caption_loss,"
            "distill_loss,ssl_"
            "loss,lr,logit_scale,"
            "pairs_per_second,"
            "data_seconds,step_seconds\n";
  if (tensorboard) events_ = std::make_unique<TensorBoardWriter>(folder + "/tensorboard");
}

RunLog::~RunLog() { clear_bar(); }

void RunLog::clear_bar() {
  if (bar_shown_) std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

void RunLog::line(const std::string& text) {
  if (!is_first_) return;
  const std::lock_guard lock(mutex_);
  const std::string full = fmt::format("{} | {}\n", clock_time(), text);
  clear_bar();
  std::fputs(full.c_str(), stderr);
  out_ << full << std::flush;
}

void RunLog::report(const StepReport& r) {
  if (!is_first_) return;
  const StepLosses& l = r.losses;
  csv_ << fmt::format(
              "{},{},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.1f},{"
              ":.4f},{"
              ":.4f}\n",
              r.step, r.epoch, l.total, l.contrastive, l.concept_table, l.concept_align, l.hog,
              l.caption, l.distillation, l.views, r.lr, r.logit_scale, r.pairs_per_second,
              r.data_seconds, r.step_seconds)
       << std::flush;
  if (events_)
    events_->add(r.step, {{"train/loss", l.total},
                          {"train/contrastive_loss", l.contrastive},
                          {"train/lr", r.lr},
                          {"train/scale", r.logit_scale},
                          {"train/samples_per_second", r.pairs_per_second},
                          {"train/data_time", r.data_seconds},
                          {"train/batch_time", r.step_seconds}});
  const double left = (r.total_steps - r.step) * r.step_seconds;
  const std::string text = fmt::format(
      "epoch {} step {}/{} {} lr {:.3e} scale {:.2f} {:.1f} pairs/s (data {:.0f} ms) left {}",
      r.epoch, r.step, r.total_steps, loss_text(l), r.lr, r.logit_scale, r.pairs_per_second,
      r.data_seconds * 1e3, duration(left));
  if (!terminal_) {
    line(text);
  } else {
    const std::lock_guard lock(mutex_);
    out_ << fmt::format("{} | {}\n", clock_time(), text) << std::flush;
  }
}

void RunLog::results(int64_t step, int64_t epoch,
                     const std::vector<std::pair<std::string, double>>& values) {
  if (!is_first_ || values.empty()) return;
  std::string json = fmt::format("{{\"epoch\": {}, \"step\": {}", epoch, step), text;
  std::vector<std::pair<std::string, double>> scalars;
  for (const auto& [name, value] : values) {
    json += fmt::format(", \"{}\": {:.6g}", name, value);
    text += fmt::format(" {} {:.4f}", name, value);
    scalars.emplace_back("val/" + name, value);
  }
  results_ << json << "}\n" << std::flush;
  if (events_) events_->add(step, scalars);
  line(fmt::format("evaluation after epoch {}:{}", epoch, text));
}

void RunLog::progress(const StepReport& r) {
  if (!is_first_ || !terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_bar_ < std::chrono::milliseconds(200)) return;
  last_bar_ = now;
  const std::lock_guard lock(mutex_);
  const int done = static_cast<int>(20 * r.step / std::max<int64_t>(1, r.total_steps));
  const std::string text = fmt::format(
      "\r\033[K[{:=<{}}{: <{}}] {}/{} {} {:.0f} pairs/s lr {:.2e} scale {:.1f} left {}", "", done,
      "", 20 - done, r.step, r.total_steps, loss_text(r.losses), r.pairs_per_second, r.lr,
      r.logit_scale, duration((r.total_steps - r.step) * r.step_seconds));
  std::fputs(text.c_str(), stderr);
  bar_shown_ = true;
}

}  // namespace openclip::train
