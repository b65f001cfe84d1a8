// The pre-norm transformer that the ViT and the text tower share.
#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <string>

#include "model/tensor_store.h"

namespace openclip::train {

struct TransformerOptions {
  std::string prefix;  // names are PREFIXtransformer.resblocks.N.…
  int layers = 0;
  int heads = 1;
  Activation activation = Activation::gelu;
  double norm_eps = 1e-5;
  bool layer_scale = false;
  bool causal = false;
};

/// x [batch, tokens, width] through all blocks: x += ls_1(attn(ln_1(x))); x += ls_2(mlp(ln_2(x))).
at::Tensor transformer(const TensorStore& store, const TransformerOptions& options, at::Tensor x);

/// Layer normalisation with the weights NAME.weight and NAME.bias.
at::Tensor layer_norm(const TensorStore& store, const std::string& name, const at::Tensor& x,
                      double eps);

}  // namespace openclip::train
