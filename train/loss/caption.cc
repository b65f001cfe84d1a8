#include "loss/caption.h"

#include "model/transformer.h"

namespace openclip::train {
namespace {

at::Tensor labels_of(const at::Tensor& ids) { return ids.slice(1, 1); }

// The decoder's last states [batch, tokens, width], before ln_final.
at::Tensor decode(const DecoderConfig& decoder, const TensorStore& store, const at::Tensor& image,
                  at::Tensor x, double norm_eps, bool checkpointing) {
  TransformerOptions options = {.blocks = "text_decoder.resblocks",
                                .layers = 1,
                                .heads = decoder.heads,
                                .activation = decoder.activation,
                                .norm_eps = norm_eps,
                                .layer_scale = decoder.ls_init_value.has_value(),
                                .causal = true,
                                .checkpointing = checkpointing};
  TransformerOptions cross = options;
  cross.blocks = "text_decoder.cross_attn";
  for (int layer = 0; layer < decoder.layers; ++layer) {
    x = self_block(store, options, layer, x);
    x = cross_block(store, cross, layer, x, image);
  }
  return x;
}

}  // namespace

int64_t caption_tokens(const ModelConfig& config, const at::Tensor& ids) {
  return labels_of(ids).ne(config.text.pad_id).sum().item<int64_t>();
}

at::Tensor caption_loss(const ModelConfig& config, const TensorStore& store,
                        const at::Tensor& image, const at::Tensor& text, const at::Tensor& ids,
                        bool checkpointing) {
  // The last token has nothing to foretell.
  const int64_t tokens = text.size(1) - 1;
  const at::Tensor labels = labels_of(ids).slice(1, 0, tokens).flatten();
  const at::Tensor counted = labels.ne(config.text.pad_id).nonzero().squeeze(1);
  const double eps = config.text.norm_eps;
  at::Tensor x =
      decode(*config.decoder, store, image, text.slice(1, 0, tokens), eps, checkpointing);
  x = layer_norm(store, "text_decoder.ln_final", x.flatten(0, 1).index_select(0, counted), eps);
  const at::Tensor logits = at::matmul(x, store.get("text_decoder.text_projection"));
  return at::cross_entropy_loss(logits.to(at::kFloat), labels.index_select(0, counted), {},
                                at::Reduction::Sum);
}

}  // namespace openclip::train
