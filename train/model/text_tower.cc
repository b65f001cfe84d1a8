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

TransformerOptions transformer_options(const ModelConfig& config, bool checkpointing) {
  const TextConfig& text = config.text;
  return {.blocks = std::string(config.custom_text ? "text." : "") + "transformer.resblocks",
          .layers = text.layers,
          .heads = text.heads,
          .activation = text.activation,
          .norm_eps = text.norm_eps,
          .layer_scale = text.ls_init_value.has_value(),
          .causal = text.causal,
          .checkpointing = checkpointing};
}

// Hidden states at the pooled positions, [batch, width].
at::Tensor pooled_states(const ModelConfig& config, const TensorStore& store, const at::Tensor& ids,
                         bool checkpointing) {
  const TextConfig& text = config.text;
  const TransformerOptions options = transformer_options(config, checkpointing);
  const std::string prefix = config.custom_text ? "text." : "";
  const at::Tensor& words = store.get(prefix + "token_embedding.weight");
  const at::Tensor& places = store.get(prefix + "positional_embedding");
  const at::Tensor pooled = pooled_position(text, ids);
  if (!text.causal || (text.pool != TextPool::argmax && text.pool != TextPool::eos))
    return pooled_transformer(store, options,
                              at::embedding(words, ids) + places.slice(0, 0, ids.size(1)), pooled);
  const Packing packing = pack_lengths(pooled + 1);
  const at::Tensor real =
      ids.slice(1, 0, packing.longest).flatten().index_select(0, packing.positions);
  const at::Tensor place = packing.positions.remainder(packing.longest);
  const at::Tensor x = at::embedding(words, real) + places.index_select(0, place);
  return pooled_transformer(store, options, x, pooled, &packing);
}

}  // namespace

at::Tensor project_text(const ModelConfig& config, const TensorStore& store,
                        const at::Tensor& pooled) {
  const TextConfig& text = config.text;
  const std::string name = std::string(config.custom_text ? "text." : "") + "text_projection";
  if (!text.has_projection) return pooled;
  if (text.projection_bias)
    return at::linear(pooled, store.get(name + ".weight"), store.get(name + ".bias"));
  return at::matmul(pooled, store.get(name));
}

TextOutput encode_text(const ModelConfig& config, const TensorStore& store, const at::Tensor& ids,
                       bool checkpointing) {
  const TextConfig& text = config.text;
  if (text.embed_cls) return coca_text(config, store, ids, checkpointing);
  const std::string prefix = config.custom_text ? "text." : "";
  const at::Tensor pooled = layer_norm(
      store, prefix + "ln_final", pooled_states(config, store, ids, checkpointing), text.norm_eps);
  return {project_text(config, store, pooled)};
}

}  // namespace openclip::train
