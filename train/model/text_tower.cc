#include "base/error.h"
#include "model/towers.h"
#include "model/transformer.h"

namespace openclip::train {
namespace {

// The position of each text that stands for the whole, i64 [batch].
at::Tensor pooled_position(const TextConfig& text, const at::Tensor& ids) {
  switch (text.pool) {
    case TextPool::argmax:
      return ids.argmax(-1);  // the first of equals
    case TextPool::eos:
      return ids.eq(*text.eos_id).to(at::kInt).argmax(-1);
    case TextPool::first:
      return at::zeros({ids.size(0)}, ids.options());
    case TextPool::last:
      return at::full({ids.size(0)}, ids.size(1) - 1, ids.options());
    default:
      throw Unsupported("text towers without pooling cannot be trained contrastively");
  }
}

}  // namespace

at::Tensor trim_tokens(const TextConfig& text, const at::Tensor& ids) {
  if (!text.causal || (text.pool != TextPool::argmax && text.pool != TextPool::eos)) return ids;
  const int64_t longest = pooled_position(text, ids).max().item<int64_t>() + 1;
  return ids.slice(1, 0, longest);
}

at::Tensor encode_text(const ModelConfig& config, const TensorStore& store, const at::Tensor& ids) {
  const TextConfig& text = config.text;
  const std::string prefix = config.custom_text ? "text." : "";
  at::Tensor x = at::embedding(store.get(prefix + "token_embedding.weight"), ids) +
                 store.get(prefix + "positional_embedding").slice(0, 0, ids.size(1));
  x = transformer(store,
                  {.prefix = prefix,
                   .layers = text.layers,
                   .heads = text.heads,
                   .activation = text.activation,
                   .norm_eps = text.norm_eps,
                   .layer_scale = text.ls_init_value.has_value(),
                   .causal = text.causal},
                  x);
  const at::Tensor rows = at::arange(ids.size(0), ids.options());
  const at::Tensor pooled = layer_norm(store, prefix + "ln_final",
                                       x.index({rows, pooled_position(text, ids)}), text.norm_eps);
  if (!text.has_projection) return pooled;
  if (text.projection_bias)
    return at::linear(pooled, store.get(prefix + "text_projection.weight"),
                      store.get(prefix + "text_projection.bias"));
  return at::matmul(pooled, store.get(prefix + "text_projection"));
}

}  // namespace openclip::train
