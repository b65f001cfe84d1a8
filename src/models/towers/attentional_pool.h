// CoCa's attention pooling with many learned queries. Part of rank 4. Source: open_clip
// transformer.py AttentionalPooler.
#pragma once

#include "models/towers/transformer.h"

namespace openclip {

/// y = attention(q(ln_q(query)), k(ln_k(x)), v(ln_k(x))) for each image: its first rows are the
/// pooled token and what captions are made of. The queries are projected when the model is loaded.
class AttentionalPool {
 public:
  /// Of the keys "visual.attn_pool."
  AttentionalPool(const Context& context, const Weights& weights, const VisionConfig& config);

  int64_t queries() const { return queries_.shape()[0]; }

  /// x: [count * tokens, width]; out: [count * queries, embed_dim], the first `queries` of them.
  void run(const Context& context, Workspace& workspace, ConstMatrix x, int64_t count,
           int64_t queries, Matrix out) const;

 private:
  int64_t heads_;
  Tensor queries_;  // [queries, embed_dim]
  NormWeights ln_k_;
  Linear k_, v_, out_proj_;
};

}  // namespace openclip
