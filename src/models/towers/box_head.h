// The heads of OWL-ViT and OWLv2. Part of rank 4. Source: transformers modeling_owlvit.py,
// modeling_owlv2.py.
#pragma once

#include <optional>
#include <vector>

#include "models/model.h"
#include "models/towers/transformer.h"
#include "models/towers/vit.h"

namespace openclip {

/// With t the tokens after ln_post, each patch becomes x = layer_norm(patch * class token), and
///   box    = sigmoid(box_head(x) + bias of its place), as centre x and y, width, height;
///   logit  = (cosine(dense0(x), query) + logit_shift(x)) * (elu(logit_scale(x)) + 1);
///   objectness = objectness_head(x), OWLv2.
/// Immutable.
class BoxHead {
 public:
  BoxHead(const Context& context, const Weights& weights, const ModelConfig& config);

  /// As Model::predict_boxes.
  BoxPredictions predict(const Context& context, const VitTower& tower, const float* pixels,
                         ConstMatrix queries) const;

  /// As Model::box_query.
  std::vector<float> query(const Context& context, const VitTower& tower,
                           const float* pixels) const;

 private:
  /// dense2(gelu(dense1(gelu(dense0(x)))))
  struct Perceptron {
    Linear dense0, dense1, dense2;

    static Perceptron load(const Context& context, const Weights& weights, const std::string& name);
    void run(const Context& context, ConstMatrix x, Matrix out) const;
  };

  /// x of every patch, [patches, width].
  Tensor patches(const Context& context, const VitTower& tower, const float* pixels) const;
  std::vector<float> boxes(const Context& context, ConstMatrix x) const;

  int64_t grid_;  // patches along a side
  Linear class_embed_, logit_shift_, logit_scale_;
  Perceptron box_;
  std::optional<Perceptron> objectness_;
  NormWeights norm_;
};

}  // namespace openclip
