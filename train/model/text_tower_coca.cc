#include <algorithm>

#include "model/towers.h"
#include "model/transformer.h"

namespace openclip::train {
namespace {

// Columns that hold a token, and one more, whose key the learned token sees (below).
int64_t used_columns(const at::Tensor& real) {
  const at::Tensor columns = real.any(0).nonzero();
  const int64_t last = columns.size(0) == 0 ? 0 : columns.max().item<int64_t>();
  return std::min(real.size(1), last + 2);
}

}  // namespace

TextOutput coca_text(const ModelConfig& config, const TensorStore& store, const at::Tensor& ids,
                     bool checkpointing) {
  const TextConfig& text = config.text;
  const std::string prefix = config.custom_text ? "text." : "";
  const int64_t batch = ids.size(0);
  const at::Tensor real = ids.ne(text.pad_id);
  const int64_t columns = used_columns(real);
  const at::Tensor& places = store.get(prefix + "positional_embedding");
  const at::Tensor words =
      at::embedding(store.get(prefix + "token_embedding.weight"), ids.slice(1, 0, columns)) +
      places.slice(0, 0, columns);
  const at::Tensor learned =
      (store.get(prefix + "cls_emb") + places[ids.size(1)]).expand({batch, 1, text.width});
  // As in open_clip's published models: the mask of the tokens is shifted by one, for the learned
  // token was thought to stand in front.
  const at::Tensor key = at::cat(
      {at::ones({batch, 1}, real.options()), real.slice(1, 0, columns - 1), real.slice(1, -1)}, 1);
  const at::Tensor causal = at::ones({columns + 1, columns + 1}, real.options()).tril();
  TransformerOptions options = {.blocks = prefix + "transformer.resblocks",
                                .layers = text.layers,
                                .heads = text.heads,
                                .activation = text.activation,
                                .norm_eps = text.norm_eps,
                                .layer_scale = text.ls_init_value.has_value(),
                                .seen = key.view({batch, 1, 1, columns + 1}).logical_and(causal),
                                .checkpointing = checkpointing};
  const at::Tensor states = transformer(store, options, at::cat({words, learned}, 1));
  const at::Tensor pooled =
      layer_norm(store, prefix + "ln_final", states.select(1, columns), text.norm_eps);
  return {project_text(config, store, pooled), states.slice(1, 0, columns)};
}

}  // namespace openclip::train
