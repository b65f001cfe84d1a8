#include "model/towers.h"
#include "model/transformer.h"

namespace openclip::train {
namespace {

// The class token and the patches that are kept, with their positions, [batch, tokens, width].
at::Tensor tokens(const VisionConfig& vision, const TensorStore& store, const at::Tensor& pixels,
                  const at::Tensor& kept) {
  // [batch, width, grid, grid] -> [batch, grid * grid, width]
  at::Tensor patches = at::conv2d(pixels, store.get("visual.conv1.weight"), {}, vision.patch_size)
                           .flatten(2)
                           .transpose(1, 2);
  const at::Tensor& positions = store.get("visual.positional_embedding");
  patches = patches + positions.slice(0, 1);
  if (kept.defined())
    patches = patches.gather(1, kept.unsqueeze(2).expand({-1, -1, patches.size(2)}));
  const at::Tensor first = (store.get("visual.class_embedding") + positions[0])
                               .view({1, 1, -1})
                               .expand({pixels.size(0), 1, vision.width});
  return at::cat({first.to(patches.scalar_type()), patches}, 1);
}

}  // namespace

ImageOutput vit(const ModelConfig& config, const TensorStore& store, const at::Tensor& pixels,
                const ImageForward& forward) {
  const VisionConfig& vision = config.vision;
  at::Tensor x = tokens(vision, store, pixels, forward.kept_patches);
  if (!vision.no_ln_pre) x = layer_norm(store, "visual.ln_pre", x, vision.norm_eps);
  const TransformerOptions options = {.blocks = "visual.transformer.resblocks",
                                      .layers = vision.layers,
                                      .heads = vision.heads,
                                      .activation = vision.activation,
                                      .norm_eps = vision.norm_eps,
                                      .layer_scale = vision.ls_init_value.has_value(),
                                      .checkpointing = forward.checkpointing};
  at::Tensor pooled;
  if (vision.attn_pool_queries > 0) {  // CoCa
    x = attentional_pool(vision, store, transformer(store, options, x));
    x = layer_norm(store, "visual.ln_post", x, vision.norm_eps);
    pooled = vision.pool == VisionPool::avg ? x.slice(1, 1).mean(1) : x.select(1, 0);
    return {pooled, at::matmul(pooled, store.get("visual.proj")), x.slice(1, 1)};
  }
  if (vision.pool == VisionPool::avg) {
    x = transformer(store, options, x).slice(1, 1);
    pooled = vision.final_ln_after_pool
                 ? layer_norm(store, "visual.ln_post", x.mean(1), vision.norm_eps)
                 : layer_norm(store, "visual.ln_post", x, vision.norm_eps).mean(1);
  } else {  // the class token's state alone; LayerNorm works on each token by itself
    const at::Tensor zero = at::zeros({pixels.size(0)}, pixels.options().dtype(at::kLong));
    pooled = layer_norm(store, "visual.ln_post", pooled_transformer(store, options, x, zero),
                        vision.norm_eps);
  }
  return {pooled, at::matmul(pooled, store.get("visual.proj"))};
}

ImageOutput encode_image(const ModelConfig& config, const TensorStore& store,
                         const at::Tensor& pixels, const ImageForward& forward) {
  return config.vision.is_resnet ? modified_resnet(config, store, pixels, forward.batch_norm)
                                 : vit(config, store, pixels, forward);
}

}  // namespace openclip::train
