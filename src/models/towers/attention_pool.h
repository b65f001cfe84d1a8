// Attention pooling of ModifiedResNet. Part of rank 4. Source: open_clip modified_resnet.py
// AttentionPool2d.
#pragma once

#include <string>

#include "models/towers/single_query.h"
#include "models/towers/weights.h"
#include "tensor/conv.h"
#include "tensor/tensor.h"
#include "tensor/workspace.h"

namespace openclip {

/// The mean pixel asks, with multi-head attention, over [mean; all pixels] plus positions.
///
/// Keys and values are not computed (single_query.h): 7 % of a whole RN50.
class AttentionPool {
 public:
  /// name: of the keys, "visual.attnpool". heads: of the attention.
  AttentionPool(const Context& context, const Weights& weights, const std::string& name,
                int64_t heads);

  /// x: [count * pixels, channels]; out: [count, embed_dim].
  void run(const Context& context, Workspace& workspace, ConstMatrix x, Matrix out) const;

  /// out[i] = c(v(x[i])): what pixel i alone would give. x: [pixels, channels]; out: [pixels,
  /// embed_dim].
  void run_values(const Context& context, Workspace& workspace, ConstMatrix x, Matrix out) const;

  /// The pool over every square of one map of the size that the positions are for; a pixel's
  /// feature is the sum of the directions of all squares that hold it. A map that is smaller is
  /// filled up by its border. out: [height * width, embed_dim].
  void run_neighbourhoods(const Context& context, Workspace& workspace, const Images& x,
                          Matrix out) const;

 private:
  /// tokens [count * (1 + pixels), channels] = mean and pixels of each image, plus positions.
  void embed(const Context& context, ConstMatrix x, Matrix tokens) const;

  Tensor positions_;  // [1 + pixels, channels]
  Linear q_, c_;
  SingleQueryAttention mean_query_;
};

}  // namespace openclip
