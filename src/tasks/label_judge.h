// How much a feature shows what some labels name, against everything else. Rank 5.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "models/model.h"
#include "tensor/linear.h"

namespace openclip {

/// Labels against distractors. Immutable, thread-safe.
class LabelJudge {
 public:
  /// labels, distractors: unit vectors [count, embed_dim]. Distractors say nothing to a model with
  /// a bias (SigLIP), which judges each label for itself.
  LabelJudge(const Context& context, std::span<const float> labels,
             std::span<const float> distractors, const Model& model);

  size_t labels() const { return static_cast<size_t>(directions_.out()); }

  /// Margins [rows, labels()] of features [rows, embed_dim], which may have any length but 0:
  ///   logit_scale * (cos(feature, label) - mean cos(feature, distractors)) - 3 sqrt(2 log n)
  /// The mean takes out what every text finds in a place; the rest is how far the best of n
  /// distractors lies above it, whose logits spread by about 3. So 0 is a label that says as much
  /// as the best of unrelated words would. Of a model with a bias logit_scale * cosine +
  /// logit_bias.
  std::vector<double> margins(const Context& context, ConstMatrix features) const;

 private:
  Linear directions_;  // labels less the mean of the distractors
  double logit_scale_, offset_;
};

/// 1 / (1 + exp(-margin)).
double probability_of(double margin);

}  // namespace openclip
