// Attention pooling with a learned query. Part of rank 4. Source: timm attention_pool.py
// AttentionPoolLatent, the head of SigLIP's image towers.
#pragma once

#include <string>

#include "models/towers/single_query.h"
#include "models/towers/transformer.h"

namespace openclip {

struct LatentPoolConfig {
  int64_t heads = 1;
  Activation activation = Activation::gelu;
  float norm_eps = 1e-6f;
};

/// y = proj(attention(q(latent), kv(x))); out = y + mlp(norm(y)), for each image.
///
/// The query is the same for all images, so it is projected when the model is loaded; keys and
/// values are not computed (single_query.h).
class LatentPool {
 public:
  /// name: of the keys, "visual.trunk.attn_pool".
  LatentPool(const Context& context, const Weights& weights, const std::string& name,
             const LatentPoolConfig& config);

  /// x: [out.rows * tokens, width], the tokens of each image after the last norm; out: [images,
  /// width].
  void run(const Context& context, Workspace& workspace, ConstMatrix x, Matrix out) const;

 private:
  LatentPoolConfig config_;
  Linear proj_, fc1_, fc2_;
  NormWeights norm_;
  SingleQueryAttention latent_query_;
  Tensor queries_;  // [heads, width]: K_h^T q_h
};

}  // namespace openclip
