#include "model/towers.h"
#include "model/transformer.h"

namespace openclip::train {

ImageOutput vit(const ModelConfig& config, const TensorStore& store, const at::Tensor& pixels) {
  const VisionConfig& vision = config.vision;
  const int64_t batch = pixels.size(0);
  // [batch, width, grid, grid] -> [batch, grid * grid, width]
  const at::Tensor patches =
      at::conv2d(pixels, store.get("visual.conv1.weight"), {}, vision.patch_size)
          .flatten(2)
          .transpose(1, 2);
  const at::Tensor first =
      store.get("visual.class_embedding").view({1, 1, -1}).expand({batch, 1, vision.width});
  at::Tensor x = at::cat({first, patches}, 1) + store.get("visual.positional_embedding");
  if (!vision.no_ln_pre) x = layer_norm(store, "visual.ln_pre", x, vision.norm_eps);
  x = transformer(store,
                  {.prefix = "visual.",
                   .layers = vision.layers,
                   .heads = vision.heads,
                   .activation = vision.activation,
                   .norm_eps = vision.norm_eps,
                   .layer_scale = vision.ls_init_value.has_value()},
                  x);
  // LayerNorm works on each token, so pooling the class token first spares the others.
  const bool average = vision.pool == VisionPool::avg;
  at::Tensor pooled;
  if (!average)
    pooled = layer_norm(store, "visual.ln_post", x.select(1, 0), vision.norm_eps);
  else if (vision.final_ln_after_pool)
    pooled = layer_norm(store, "visual.ln_post", x.slice(1, 1).mean(1), vision.norm_eps);
  else
    pooled = layer_norm(store, "visual.ln_post", x.slice(1, 1), vision.norm_eps).mean(1);
  return {pooled, at::matmul(pooled, store.get("visual.proj"))};
}

ImageOutput encode_image(const ModelConfig& config, const TensorStore& store,
                         const at::Tensor& pixels, bool training) {
  return config.vision.is_resnet ? modified_resnet(config, store, pixels, training)
                                 : vit(config, store, pixels);
}

}  // namespace openclip::train
