#include "tasks/label_judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace openclip {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Labels, and those distractors that are not alike one.
std::vector<float> joined(std::span<const float> labels, std::span<const float> distractors,
                          size_t dim, double alike) {
  std::vector<float> all(labels.begin(), labels.end());
  for (size_t begin = 0; begin < distractors.size(); begin += dim) {
    const std::span<const float> row = distractors.subspan(begin, dim);
    bool is_alike = false;
    for (size_t i = 0; i < labels.size() && !is_alike; i += dim)
      is_alike = dot(row, labels.subspan(i, dim)) > alike;
    if (!is_alike) all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

}  // namespace

LabelJudge::LabelJudge(const Context& context, std::span<const float> labels,
                       std::span<const float> distractors, const Model& model, double alike)
    : label_count_(labels.size() / static_cast<size_t>(model.config().embed_dim)),
      logit_scale_(model.logit_scale()),
      logit_bias_(model.logit_bias()) {
  check_arg(label_count_ > 0, "there is no label");
  const auto dim = static_cast<size_t>(model.config().embed_dim);
  if (logit_bias_) distractors = {};
  const std::vector<float> all = joined(labels, distractors, dim, alike);
  vectors_ =
      Linear(context, all, {}, {static_cast<int64_t>(dim), static_cast<int64_t>(all.size() / dim)});
}

std::vector<double> LabelJudge::margins(const Context& context, ConstMatrix features) const {
  const int64_t rows = features.rows, count = vectors_.out();
  std::vector<float> cosines(static_cast<size_t>(rows * count));
  linear(context, features, vectors_, {cosines.data(), rows, count});
  std::vector<double> out(static_cast<size_t>(rows) * label_count_);
  for (int64_t i = 0; i < rows; ++i) {
    const std::span<const float> feature(features.row(i), static_cast<size_t>(features.cols));
    const double length = std::max(std::sqrt(dot(feature, feature)), 1e-12);
    const auto row =
        std::span(cosines).subspan(static_cast<size_t>(i * count), static_cast<size_t>(count));
    for (float& cosine : row) cosine = static_cast<float>(cosine / length);
    row_margins(row, std::span(out).subspan(static_cast<size_t>(i) * label_count_, label_count_));
  }
  return out;
}

void LabelJudge::row_margins(std::span<const float> cosines, std::span<double> margins) const {
  if (logit_bias_) {
    for (size_t i = 0; i < margins.size(); ++i)
      margins[i] = logit_scale_ * cosines[i] + *logit_bias_;
    return;
  }
  const double most = logit_scale_ * *std::max_element(cosines.begin(), cosines.end());
  const auto part = [&](size_t i) { return std::exp(logit_scale_ * cosines[i] - most); };
  double sum = 0;
  for (size_t i = 0; i < cosines.size(); ++i) sum += part(i);
  for (size_t i = 0; i < margins.size(); ++i) {
    double others = sum - part(i);
    if (others < 1e-6 * sum) {  // the difference cancels: summed again
      others = 0;
      for (size_t j = 0; j < cosines.size(); ++j)
        if (j != i) others += part(j);
    }
    margins[i] = logit_scale_ * cosines[i] - most - std::log(std::max(others, 1e-300));
  }
}

double probability_of(double margin) { return 1 / (1 + std::exp(-margin)); }

}  // namespace openclip
