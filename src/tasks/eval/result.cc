#include "tasks/eval/result.h"

#include <cmath>
#include <limits>

#include "base/error.h"

namespace openclip {
namespace {

OrderedJson number(double value) {
  return std::isnan(value) ? OrderedJson(nullptr) : OrderedJson(value);
}

double number_or_nan(const Json& json) {
  return json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

OrderedJson to_json(const EvalResult& result) {
  OrderedJson metrics = OrderedJson::object(), intervals = OrderedJson::object();
  for (const auto& [name, estimate] : result.metrics) {
    metrics[name] = number(estimate.value);
    intervals[name] = {number(estimate.low), number(estimate.high)};
  }
  return {
      {"dataset", result.dataset}, {"model", result.model},     {"pretrained", result.pretrained},
      {"task", result.task},       {"metrics", metrics},        {"language", result.language},
      {"split", result.split},     {"samples", result.samples}, {"skipped", result.skipped},
      {"intervals", intervals}};
}

EvalResult eval_result_from_json(const std::string& source, const Json& json) {
  EvalResult result;
  result.dataset = json_get<std::string>(source, json, "dataset");
  result.model = json_get<std::string>(source, json, "model");
  result.pretrained = json_get_or<std::string>(source, json, "pretrained", "");
  result.task = json_get<std::string>(source, json, "task");
  result.language = json_get_or<std::string>(source, json, "language", "en");
  result.split = json_get_or<std::string>(source, json, "split", "");
  result.samples = json_get_or<int64_t>(source, json, "samples", 0);
  result.skipped = json_get_or<int64_t>(source, json, "skipped", 0);
  const Json* metrics = json_find(json, "metrics");
  if (metrics == nullptr || !metrics->is_object())
    throw ParseError(source, "has no object 'metrics'");
  const Json* intervals = json_find(json, "intervals");
  for (const auto& [name, value] : metrics->items()) {
    Estimate estimate{number_or_nan(value), number_or_nan(nullptr), number_or_nan(nullptr)};
    const Json* interval = intervals == nullptr ? nullptr : json_find(*intervals, name);
    if (interval != nullptr && interval->is_array() && interval->size() == 2) {
      estimate.low = number_or_nan((*interval)[0]);
      estimate.high = number_or_nan((*interval)[1]);
    }
    result.metrics.emplace_back(name, estimate);
  }
  return result;
}

}  // namespace openclip
