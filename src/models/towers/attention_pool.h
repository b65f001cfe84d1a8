// Attention pooling of ModifiedResNet. Part of rank 4. Source: open_clip modified_resnet.py
// AttentionPool2d.
#pragma once

#include <string>
#include <vector>

#include "models/towers/weights.h"
#include "tensor/conv.h"
#include "tensor/tensor.h"
#include "tensor/workspace.h"

namespace openclip {

/// The mean pixel asks, with multi-head attention, over [mean; all pixels] plus positions.
///
/// With one query, keys and values need not be computed: for head h with key rows K_h and value
/// rows V_h of the weights, the scores are q_h (K_h x_j + b) = (K_h^T q_h) x_j + q_h b, whose last
/// term is the same for all j and leaves the softmax alone; and sum_j p_j (V_h x_j + b) = V_h
/// (sum_j p_j x_j)
/// + b. So the heads' queries K_h^T q_h attend to the tokens themselves. Exact but for rounding,
/// and 7 % of a whole RN50 less to compute.
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

  int64_t heads_, head_dim_;
  Tensor positions_;  // [1 + pixels, channels]
  Linear q_, c_;
  std::vector<Linear> key_queries_;  // of each head: q_h to K_h^T q_h
  std::vector<Linear> values_;       // of each head: V_h and its bias
};

}  // namespace openclip
