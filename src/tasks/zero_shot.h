// Zero-shot classification: which of some labels, written in words, suits a picture. Rank 5.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tasks/features.h"

namespace openclip {

/// A label with its probability.
struct ScoredLabel {
  std::string label;
  double score = 0;
};

/// Labels turned into vectors, ready for any number of pictures. Immutable, thread-safe.
class ZeroShotClassifier {
 public:
  /// Vector of a label = mean of the normalised features of its filled templates, normalised again.
  /// Equal prompts are computed once. `cut` (may be null) learns of prompts beyond the context.
  /// Throws: InvalidArgument for no labels and for templates without "{}".
  ZeroShotClassifier(const Context& context, const Model& model, const Tokenizer& tokenizer,
                     std::vector<std::string> labels, const std::vector<std::string>& templates,
                     CutTexts* cut = nullptr);

  /// The same with the features of prompts, normalised, made by someone else (a server computes
  /// them with those of other callers). encode: prompts -> [prompts, embed_dim].
  using EncodePrompts = std::function<std::vector<float>(std::span<const std::string>)>;
  ZeroShotClassifier(const EncodePrompts& encode, const Model& model,
                     std::vector<std::string> labels, const std::vector<std::string>& templates);

  /// From vectors that were computed before: [labels, embed_dim], of length 1. model: whose scale
  /// and bias turn cosines into probabilities. Throws: InvalidArgument where the sizes do not fit.
  ZeroShotClassifier(std::vector<std::string> labels, std::vector<float> vectors,
                     const Model& model);

  /// Probabilities of all labels: softmax(logit_scale * cosine), which sum to 1; of a model with a
  /// bias (SigLIP), which was trained to judge each pair for itself, sigmoid(logit_scale * cosine +
  /// logit_bias) of each. image_features: [embed_dim], normalised or not.
  std::vector<double> probabilities(std::span<const float> image_features) const;

  /// The `count` most probable labels (all if there are fewer), best first; ties in label order.
  std::vector<ScoredLabel> top(std::span<const float> image_features, size_t count) const;

  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<float>& vectors() const { return vectors_; }  // [labels, embed_dim]

 private:
  std::vector<std::string> labels_;
  std::vector<float> vectors_;
  float logit_scale_ = 1;
  std::optional<float> logit_bias_;
};

}  // namespace openclip
