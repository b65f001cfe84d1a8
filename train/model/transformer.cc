#include "model/transformer.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "model/checkpointing.h"
#include "model/linear.h"

namespace openclip::train {
namespace {

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

// Packed rows [total, …] as [batch, longest, …], padding zero.
at::Tensor unpack(const at::Tensor& rows, const Packing& packing) {
  const at::Tensor with_zero = at::cat({rows, at::zeros({1, rows.size(1)}, rows.options())});
  return with_zero.index_select(0, packing.sources).view({packing.batch, packing.longest, -1});
}

// softmax(q . k^T / sqrt(head)) . v. libtorch's bf16 kernel for processors calls a matrix product
// for each head of each row, which takes longer than the arithmetic: f32 there.
at::Tensor mix(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
               const std::optional<at::Tensor>& seen, bool causal) {
  if (!q.is_cpu() || q.scalar_type() != at::kBFloat16)
    return at::scaled_dot_product_attention(q, k, v, seen, /*dropout_p=*/0.0, causal);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  return at::scaled_dot_product_attention(q.to(at::kFloat), k.to(at::kFloat), v.to(at::kFloat),
                                          seen, /*dropout_p=*/0.0, causal)
      .to(at::kBFloat16);
}

// One block of the transformer, by name.
class Block {
 public:
  Block(const TensorStore& store, const TransformerOptions& options, int layer)
      : store_(store), options_(options), name_(fmt::format("{}.{}", options.blocks, layer)) {}

  at::Tensor all(const at::Tensor& x, const Packing* packing) const {
    return mlp(x + scaled("ls_1", attention(norm("ln_1", x), packing)));
  }

  at::Tensor cross(const at::Tensor& x, const at::Tensor& context) const {
    const std::string weight = name_ + ".attn.in_proj_weight", bias = name_ + ".attn.in_proj_bias";
    const int64_t width = x.size(-1);
    const at::Tensor q = linear_part(store_, weight, bias, norm("ln_1", x), 0, width);
    const at::Tensor kv =
        linear_part(store_, weight, bias, norm("ln_1_kv", context), width, 2 * width);
    const at::Tensor mixed =
        attention_of(q, kv.slice(-1, 0, width), kv.slice(-1, width), options_.heads);
    return mlp(x + scaled("ls_1", dense("attn.out_proj", mixed)));
  }

  at::Tensor pooled(const at::Tensor& x, const at::Tensor& positions,
                    const Packing* packing) const {
    const auto pick = [&](const at::Tensor& states) {
      if (packing != nullptr)
        return states.index_select(0, (positions + 1).cumsum(0) - 1);  // each text's last
      return states.index({at::arange(states.size(0), positions.options()), positions});
    };
    const at::Tensor normed = norm("ln_1", x);
    return mlp(pick(x) + scaled("ls_1", one_query(normed, pick(normed), positions, packing)));
  }

 private:
  at::Tensor norm(const char* part, const at::Tensor& x) const {
    return layer_norm(store_, fmt::format("{}.{}", name_, part), x, options_.norm_eps);
  }

  at::Tensor scaled(const char* part, const at::Tensor& change) const {
    return options_.layer_scale ? change * store_.get(fmt::format("{}.{}.gamma", name_, part))
                                : change;
  }

  at::Tensor dense(const char* part, const at::Tensor& x) const {
    const std::string name = fmt::format("{}.{}", name_, part);
    return linear(store_, name + ".weight", name + ".bias", x);
  }

  at::Tensor mlp(const at::Tensor& x) const {
    const at::Tensor hidden = activate(options_.activation, dense("mlp.c_fc", norm("ln_2", x)));
    return x + scaled("ls_2", dense("mlp.c_proj", hidden));
  }

  at::Tensor attention(const at::Tensor& x, const Packing* packing) const {
    const at::Tensor qkv =
        linear(store_, name_ + ".attn.in_proj_weight", name_ + ".attn.in_proj_bias", x);
    if (packing == nullptr) return dense("attn.out_proj", attend(qkv));
    const at::Tensor mixed = attend(unpack(qkv, *packing)).flatten(0, 1);
    return dense("attn.out_proj", mixed.index_select(0, packing->positions));
  }

  // Self-attention of qkv [batch, tokens, 3 * width] -> [batch, tokens, width].
  at::Tensor attend(const at::Tensor& qkv) const {
    const int64_t batch = qkv.size(0), tokens = qkv.size(1), width = qkv.size(2) / 3;
    const at::Tensor split = qkv.view({batch, tokens, 3, options_.heads, width / options_.heads})
                                 .permute({2, 0, 3, 1, 4});  // [3, batch, heads, tokens, …]
    std::optional<at::Tensor> seen;
    if (options_.seen.defined()) seen = options_.seen;
    return mix(split[0], split[1], split[2], seen, options_.causal && !seen)
        .transpose(1, 2)
        .reshape({batch, tokens, width});
  }

  // Attention where only one token of each row, `query` [batch, width], asks.
  at::Tensor one_query(const at::Tensor& x, const at::Tensor& query, const at::Tensor& positions,
                       const Packing* packing) const {
    const int64_t batch = query.size(0), width = query.size(1), head = width / options_.heads;
    const std::string weight = name_ + ".attn.in_proj_weight", bias = name_ + ".attn.in_proj_bias";
    const at::Tensor q = linear_part(store_, weight, bias, query, 0, width)
                             .view({batch, 1, options_.heads, head})
                             .transpose(1, 2);
    at::Tensor kv = linear_part(store_, weight, bias, x, width, 2 * width);
    if (packing != nullptr) kv = unpack(kv, *packing);
    const int64_t tokens = kv.size(1);
    const at::Tensor split =
        kv.view({batch, tokens, 2, options_.heads, head}).permute({2, 0, 3, 1, 4});
    std::optional<at::Tensor> seen;  // [batch, 1, 1, tokens]
    if (options_.causal)
      seen = at::arange(tokens, positions.options())
                 .view({1, 1, 1, tokens})
                 .le(positions.view({batch, 1, 1, 1}));
    return dense("attn.out_proj",
                 mix(q, split[0], split[1], seen, /*causal=*/false).reshape({batch, width}));
  }

  const TensorStore& store_;
  const TransformerOptions& options_;
  const std::string name_;
};

at::Tensor first_blocks(const TensorStore& store, const TransformerOptions& options, int count,
                        at::Tensor x, const Packing* packing) {
  for (int i = 0; i < count; ++i) x = self_block(store, options, i, x, packing);
  return x;
}

}  // namespace

at::Tensor attention_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads) {
  const auto split = [&](const at::Tensor& x) {
    return x.unflatten(-1, {heads, x.size(-1) / heads}).transpose(1, 2);
  };
  return mix(split(q), split(k), split(v), {}, /*causal=*/false).transpose(1, 2).flatten(2);
}

at::Tensor self_block(const TensorStore& store, const TransformerOptions& options, int layer,
                      const at::Tensor& x, const Packing* packing) {
  if (!options.checkpointing) return Block(store, options, layer).all(x, packing);
  // Runs again in the backward pass, when the caller's packing is gone.
  const auto packed = packing != nullptr ? std::make_shared<Packing>(*packing) : nullptr;
  return checkpoint(
      [&store, options, layer, packed](const at::Tensor& in) {
        return Block(store, options, layer).all(in, packed.get());
      },
      x);
}

at::Tensor cross_block(const TensorStore& store, const TransformerOptions& options, int layer,
                       const at::Tensor& x, const at::Tensor& context) {
  if (!options.checkpointing) return Block(store, options, layer).cross(x, context);
  // One tensor goes in: both, one behind the other.
  return checkpoint(
      [&store, options, layer, tokens = x.size(1)](const at::Tensor& both) {
        return Block(store, options, layer).cross(both.slice(1, 0, tokens), both.slice(1, tokens));
      },
      at::cat({x, context}, 1));
}

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
  return first_blocks(store, options, options.layers, std::move(x), packing);
}

at::Tensor pooled_transformer(const TensorStore& store, const TransformerOptions& options,
                              at::Tensor x, const at::Tensor& pooled, const Packing* packing) {
  x = first_blocks(store, options, options.layers - 1, std::move(x), packing);
  return Block(store, options, options.layers - 1).pooled(x, pooled, packing);
}

}  // namespace openclip::train
