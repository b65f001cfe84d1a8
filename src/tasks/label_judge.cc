#include "tasks/label_judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace openclip {
namespace {

// Standard deviation of the logits of unrelated words at one place: 2.98 for the shipped model.
constexpr double kSpread = 3;

std::vector<float> less_mean(std::span<const float> labels, std::span<const float> others,
                             size_t dim) {
  std::vector<double> mean(dim);
  for (size_t i = 0; i < others.size(); ++i) mean[i % dim] += others[i];
  const double count = std::max(1.0, static_cast<double>(others.size() / dim));
  std::vector<float> out(labels.begin(), labels.end());
  for (size_t i = 0; i < out.size(); ++i) out[i] -= static_cast<float>(mean[i % dim] / count);
  return out;
}

}  // namespace

LabelJudge::LabelJudge(const Context& context, std::span<const float> labels,
                       std::span<const float> distractors, const Model& model)
    : logit_scale_(model.logit_scale()) {
  const auto dim = static_cast<size_t>(model.config().embed_dim);
  check_arg(!labels.empty(), "there is no label");
  if (model.logit_bias()) distractors = {};
  const double others = std::max(1.0, static_cast<double>(distractors.size() / dim));
  offset_ = model.logit_bias() ? *model.logit_bias() : -kSpread * std::sqrt(2 * std::log(others));
  directions_ = Linear(context, less_mean(labels, distractors, dim), {},
                       {static_cast<int64_t>(dim), static_cast<int64_t>(labels.size() / dim)});
}

std::vector<double> LabelJudge::margins(const Context& context, ConstMatrix features) const {
  const int64_t rows = features.rows, count = directions_.out();
  std::vector<float> products(static_cast<size_t>(rows * count));
  linear(context, features, directions_, {products.data(), rows, count});
  std::vector<double> out;
  out.reserve(products.size());
  for (int64_t i = 0; i < rows; ++i) {
    const float* row = features.row(i);
    const double length = std::sqrt(std::inner_product(row, row + features.cols, row, 0.0));
    const double scale = logit_scale_ / std::max(length, 1e-12);
    for (int64_t label = 0; label < count; ++label)
      out.push_back(scale * products[static_cast<size_t>(i * count + label)] + offset_);
  }
  return out;
}

double probability_of(double margin) { return 1 / (1 + std::exp(-margin)); }

}  // namespace openclip
