// The pre-norm transformer that the ViT and the text tower share.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "model/tensor_store.h"

namespace openclip::train {

/// Texts of different lengths without their padding. Rows of a packed tensor are the real tokens of
/// all texts, one text after the other; only attention needs them side by side.
struct Packing {
  at::Tensor positions;  // i64 [total]: row of [batch * longest] that each packed row stands at
  at::Tensor sources;    // i64 [batch * longest]: packed row, or `total` for padding
  int64_t batch = 0;
  int64_t longest = 0;
};

/// Packs texts of `lengths` (i64 [batch], each at least 1) tokens.
Packing pack_lengths(const at::Tensor& lengths);

struct TransformerOptions {
  std::string blocks;  // names are BLOCKS.N.…
  int layers = 0;
  int heads = 1;
  Activation activation = Activation::gelu;
  double norm_eps = 1e-5;
  bool layer_scale = false;
  bool causal = false;
  at::Tensor seen = {};  // bool [batch, 1, tokens, tokens], in place of `causal`: who sees whom
  bool checkpointing = false;  // see checkpoint()
};

/// x [batch, tokens, width] through all blocks: x += ls_1(attn(ln_1(x))); x += ls_2(mlp(ln_2(x))).
/// With `packing`, x is packed [total, width] and the attention must be causal: then no token sees
/// the padding after it, and the result is the same as with it.
at::Tensor transformer(const TensorStore& store, const TransformerOptions& options, at::Tensor x,
                       const Packing* packing = nullptr);

/// As `transformer`, but only the states at the positions `pooled` (i64 [batch], within each row)
/// are wanted, [batch, width]: of the last block only these are computed.
at::Tensor pooled_transformer(const TensorStore& store, const TransformerOptions& options,
                              at::Tensor x, const at::Tensor& pooled,
                              const Packing* packing = nullptr);

/// Block `layer` alone, as in `transformer`.
at::Tensor self_block(const TensorStore& store, const TransformerOptions& options, int layer,
                      const at::Tensor& x, const Packing* packing = nullptr);

/// Block `layer` with attention to other states: x [batch, tokens, width] asks, context [batch, n,
/// width], normalised by ln_1_kv, answers. Source: open_clip transformer.py ResidualAttentionBlock.
at::Tensor cross_block(const TensorStore& store, const TransformerOptions& options, int layer,
                       const at::Tensor& x, const at::Tensor& context);

/// Attention softmax(q . k^T / sqrt(head)) . v of `heads` heads side by side: q [batch, n, width],
/// k and v [batch, m, width] -> [batch, n, width].
at::Tensor attention_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads);

/// Layer normalisation with the weights NAME.weight and NAME.bias.
at::Tensor layer_norm(const TensorStore& store, const std::string& name, const at::Tensor& x,
                      double eps);

}  // namespace openclip::train
