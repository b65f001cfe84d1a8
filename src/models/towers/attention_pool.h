// Attention pooling of ModifiedResNet. Part of rank 4. Source: open_clip modified_resnet.py
// AttentionPool2d.
#pragma once

#include "models/towers/weights.h"
#include "tensor/tensor.h"
#include "tensor/workspace.h"

namespace openclip {

/// The mean pixel asks, with multi-head attention, over [mean; all pixels] plus positions.
class AttentionPool {
 public:
  /// name: of the keys, "visual.attnpool". heads: of the attention.
  AttentionPool(const Context& context, const Weights& weights, const std::string& name,
                int64_t heads);

  /// x: [count * pixels, channels]; out: [count, embed_dim].
  void run(const Context& context, Workspace& workspace, ConstMatrix x, Matrix out) const;

 private:
  int64_t heads_;
  Tensor positions_;  // [1 + pixels, channels]
  Linear q_, k_, v_, c_;
};

}  // namespace openclip
