// The two ways in which a CLIP finds places. Internal to src/tasks.
#pragma once

#include <vector>

#include "tasks/boxes.h"
#include "tasks/detect.h"
#include "tasks/label_judge.h"
#include "tasks/window_reader.h"

namespace openclip {

/// What the searches are given. Scores are margins of the judge.
struct DetectTask {
  const Context& context;
  const Model& model;
  const PreprocessConfig& preprocess;
  const LabelJudge& judge;
  const DetectOptions& options;
  double least_margin;
};

/// Boxes of each label: judges a pyramid of windows, keeps the best of each place, and moves their
/// edges as long as that makes them better.
std::vector<std::vector<ScoredBox>> search_windows(const DetectTask& task, const Image& image);

/// Boxes of each label: judges every place of dense maps of several sizes, and takes what hangs
/// together.
std::vector<std::vector<ScoredBox>> search_dense(const DetectTask& task, const Image& image);

}  // namespace openclip
