// What a run leaves behind and shows: log lines or a progress bar on stderr, out.log, train.csv and
// TensorBoard events in LOGS/NAME.
#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "trainer/objective.h"
#include "trainer/tensorboard.h"

namespace openclip::train {

/// One step, as logged.
struct StepReport {
  int64_t step = 0;  // from 1
  int64_t total_steps = 0;
  int64_t epoch = 0;
  StepLosses losses;
  double lr = 0, logit_scale = 0;  // logit_scale: after exp
  double pairs_per_second = 0;
  double data_seconds = 0;  // waiting for data, part of this step
  double step_seconds = 0;
};

class RunLog {
 public:
  /// folder: LOGS/NAME, created. `append`: continue the files of an interrupted run. Of the
  /// processes of a job only the first writes and shows anything.
  RunLog(const std::string& folder, bool tensorboard, bool append, bool is_first = true);
  ~RunLog();

  /// One line with the time, to stderr and out.log. Thread-safe.
  void line(const std::string& text);

  /// A line in train.csv and TensorBoard, and one on stderr where that is no terminal.
  void report(const StepReport& report);

  /// A line in results.jsonl and TensorBoard, and the log. `values`: names and numbers.
  void results(int64_t step, int64_t epoch,
               const std::vector<std::pair<std::string, double>>& values);

  /// Redraws the progress bar; nothing where stderr is no terminal.
  void progress(const StepReport& report);

 private:
  void clear_bar();

  std::mutex mutex_;
  const bool is_first_;
  std::ofstream out_, csv_, results_;
  std::unique_ptr<TensorBoardWriter> events_;
  bool terminal_, bar_shown_ = false;
  std::chrono::steady_clock::time_point last_bar_{};
};

}  // namespace openclip::train
