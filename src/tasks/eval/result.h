// The outcome of an evaluation, and its form as JSON. Rank 5.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "io/json.h"
#include "tasks/eval/metrics.h"

namespace openclip {

struct EvalResult {
  std::string dataset, model, pretrained;
  std::string task;  // CLIP_benchmark's name of it
  std::string language = "en";
  std::string split;
  int64_t samples = 0, skipped = 0;
  std::vector<std::pair<std::string, Estimate>> metrics;  // in the order of the output
};

/// CLIP_benchmark's fields (dataset, model, pretrained, task, metrics: {name: value}, language),
/// then ours: split, samples, skipped, intervals: {name: [low, high]} of 95 %. What is not defined
/// is null.
OrderedJson to_json(const EvalResult& result);

/// The reverse; files of CLIP_benchmark itself, without our fields, are read too, with intervals
/// that are not defined. Throws: ParseError naming `source` and the field.
EvalResult eval_result_from_json(const std::string& source, const Json& json);

}  // namespace openclip
