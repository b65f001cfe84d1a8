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

// Self-attention of qkv [batch, tokens, 3 * width] -> [batch, tokens, width].
at::Tensor attend(const at::Tensor& qkv, const TransformerOptions& options) {
  const int64_t batch = qkv.size(0), tokens = qkv.size(1), width = qkv.size(2) / 3;
  const at::Tensor split = qkv.view({batch, tokens, 3, options.heads, width / options.heads})
                               .permute({2, 0, 3, 1, 4});  // [3, batch, heads, tokens, …]
  return at::scaled_dot_product_attention(split[0], split[1], split[2], /*attn_mask=*/{},
                                          /*dropout_p=*/0.0, options.causal)
      .transpose(1, 2)
      .reshape({batch, tokens, width});
}

at::Tensor attention(const TensorStore& store, const std::string& block,
                     const TransformerOptions& options, const at::Tensor& x,
                     const Packing* packing) {
  const at::Tensor qkv = at::linear(x, store.get(block + ".attn.in_proj_weight"),
                                    store.get(block + ".attn.in_proj_bias"));
  if (packing == nullptr) return linear(store, block + ".attn.out_proj", attend(qkv, options));
  const at::Tensor with_zero = at::cat({qkv, at::zeros({1, qkv.size(1)}, qkv.options())});
  const at::Tensor padded =
      with_zero.index_select(0, packing->sources).view({packing->batch, packing->longest, -1});
  const at::Tensor mixed =
      attend(padded, options).flatten(0, 1).index_select(0, packing->positions);
  return linear(store, block + ".attn.out_proj", mixed);
}

}  // namespace

at::Tensor layer_norm(const TensorStore& store, const std::string& name, const at::Tensor& x,
                      double eps) {
  return at::layer_norm(x, {x.size(-1)}, store.get(name + ".weight"), store.get(name + ".bias"),
                        eps);
}

Packing pack_lengths(const at::Tensor& lengths) {
  Packing packing;
  packing.batch = lengths.size(0);
  packing.longest = lengths.max().item<int64_t>();
  const at::Tensor real =
      at::arange(packing.longest, lengths.options()).unsqueeze(0).lt(lengths.unsqueeze(1));
  packing.positions = real.flatten().nonzero().squeeze(1);
  const int64_t total = packing.positions.size(0);
  packing.sources = at::full({packing.batch * packing.longest}, total, lengths.options());
  packing.sources.index_copy_(0, packing.positions, at::arange(total, lengths.options()));
  return packing;
}

at::Tensor transformer(const TensorStore& store, const TransformerOptions& options, at::Tensor x,
                       const Packing* packing) {
  for (int i = 0; i < options.layers; ++i) {
    const std::string block = fmt::format("{}transformer.resblocks.{}", options.prefix, i);
    at::Tensor change = attention(store, block, options,
                                  layer_norm(store, block + ".ln_1", x, options.norm_eps), packing);
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
