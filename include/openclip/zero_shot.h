// Zero-shot classification: which of some labels, written in words, suits a picture.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openclip/model.h"
#include "openclip/namespace.h"
#include "openclip/tokenizer.h"

namespace openclip::v0 {

/// A label with its probability.
struct ScoredLabel {
  std::string label;
  double score = 0;
};

/// Labels turned into vectors, ready for any number of pictures. Copies are cheap; thread-safe.
class OPENCLIP_EXPORT ZeroShotClassifier {
 public:
  /// The vector of a label is the normalised mean of the normalised features of its prompts;
  /// every "{}" of a template stands for the label.
  /// Throws: InvalidArgument for no labels and for templates without "{}".
  ZeroShotClassifier(const Model& model, const Tokenizer& tokenizer,
                     std::vector<std::string> labels,
                     const std::vector<std::string>& templates = {"{}"});

  const std::vector<std::string>& labels() const;
  /// [labels, embed_dim], rows of length 1.
  std::span<const float> vectors() const;

  /// softmax(exp(logit_scale) * cosine) over the labels, in their order.
  /// image_features: of one picture, normalised or not.
  std::vector<double> probabilities(std::span<const float> image_features) const;

  /// The `count` most probable labels, best first; all if there are fewer.
  std::vector<ScoredLabel> top(std::span<const float> image_features, std::size_t count = 5) const;

 private:
  struct Impl;  // the engine's side
  std::shared_ptr<const Impl> impl_;
};

/// A named set of templates: "openai" (80 prompts for ImageNet) or "simple" (7).
/// Throws: NotFound.
OPENCLIP_EXPORT std::vector<std::string> template_set(std::string_view name);

}  // namespace openclip::v0
