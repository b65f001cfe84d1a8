// Which of some labels a feature shows, or none of them. Rank 5.
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
  /// labels, distractors: unit vectors [count, embed_dim]. Distractors that mean nearly the same as
  /// a label (cosine above `alike`) are left out, as they would take its score; of a model with a
  /// bias (SigLIP), which judges each label for itself, all of them.
  LabelJudge(const Context& context, std::span<const float> labels,
             std::span<const float> distractors, const Model& model, double alike);

  size_t labels() const { return label_count_; }

  /// Margins [rows, labels()] of features [rows, embed_dim], which may have any length but 0: the
  /// logit of each label against everything else, log(p / (1 - p)) of p = softmax(logit_scale *
  /// cosine) over labels and distractors, which does not saturate where p is 1 in all digits; of a
  /// model with a bias, logit_scale * cosine + logit_bias.
  std::vector<double> margins(const Context& context, ConstMatrix features) const;

 private:
  void row_margins(std::span<const float> cosines, std::span<double> margins) const;

  size_t label_count_;
  Linear vectors_;  // labels, then distractors
  double logit_scale_;
  std::optional<float> logit_bias_;
};

/// 1 / (1 + exp(-margin)).
double probability_of(double margin);

}  // namespace openclip
