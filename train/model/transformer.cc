#include "model/transformer.h"

#include <fmt/format.h>

namespace openclip::train {
namespace {

at::Tensor linear(const TensorStore& store, const std::string& name, const at::Tensor& x) {
  return at::linear(x, store.get(name + ".weight"), store.get(name + ".bias"));
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::quick_gelu:
      return x * at::sigmoid(1.702 * x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    default:
      return at::gelu(x);
  }
}

at::Tensor attention(const TensorStore& store, const std::string& block,
                     const TransformerOptions& options, const at::Tensor& x) {
  const int64_t batch = x.size(0), tokens = x.size(1), width = x.size(2);
  const int64_t head_width = width / options.heads;
  const at::Tensor qkv = at::linear(x, store.get(block + ".attn.in_proj_weight"),
                                    store.get(block + ".attn.in_proj_bias"))
                             .view({batch, tokens, 3, options.heads, head_width})
                             .permute({2, 0, 3, 1, 4});  // [3, batch, heads, tokens, head_width]
  const at::Tensor mixed = at::scaled_dot_product_attention(
      qkv[0], qkv[1], qkv[2], /*attn_mask=*/{}, /*dropout_p=*/0.0, options.causal);
  return linear(store, block + ".attn.out_proj",
                mixed.transpose(1, 2).reshape({batch, tokens, width}));
}

}  // namespace

at::Tensor layer_norm(const TensorStore& store, const std::string& name, const at::Tensor& x,
                      double eps) {
  return at::layer_norm(x, {x.size(-1)}, store.get(name + ".weight"), store.get(name + ".bias"),
                        eps);
}

at::Tensor transformer(const TensorStore& store, const TransformerOptions& options, at::Tensor x) {
  for (int i = 0; i < options.layers; ++i) {
    const std::string block = fmt::format("{}transformer.resblocks.{}", options.prefix, i);
    at::Tensor change =
        attention(store, block, options, layer_norm(store, block + ".ln_1", x, options.norm_eps));
    if (options.layer_scale) change = change * store.get(block + ".ls_1.gamma");
    x = x + change;
    const at::Tensor hidden = activate(
        options.activation, linear(store, block + ".mlp.c_fc",
                                   layer_norm(store, block + ".ln_2", x, options.norm_eps)));
    change = linear(store, block + ".mlp.c_proj", hidden);
    if (options.layer_scale) change = change * store.get(block + ".ls_2.gamma");
    x = x + change;
  }
  return x;
}

}  // namespace openclip::train
