#include "models/config/flops.h"

#include "models/config/tensor_table.h"

namespace openclip {
namespace {

// One block on `tokens` tokens whose queries see `pairs` (query, key) pairs in all.
double block_flops(double tokens, double pairs, double width, double mlp_width) {
  const double products = 4 * width * width + 2 * width * mlp_width;
  return 2 * tokens * products + 4 * pairs * width;
}

double vit_flops(const VisionConfig& vision, int embed_dim) {
  const double patches = double(vision.grid()) * vision.grid();
  const double tokens = vision.tokens(), width = vision.width;
  // SwiGLU has three matrices in place of two.
  const double mlp_width = vision.mlp_width * (vision.eva && vision.eva->swiglu ? 1.5 : 1.0);
  double flops = 2 * patches * 3 * vision.patch_size * vision.patch_size * width +
                 vision.layers * block_flops(tokens, tokens * tokens, width, mlp_width);
  if (vision.pool == VisionPool::map)  // keys and values of all tokens, one query
    flops +=
        4 * width * width * (tokens + 1) + 4 * tokens * width + 4 * width * vision.pool_mlp_width;
  return vision.projection == VisionProjection::none ? flops : flops + 2 * width * embed_dim;
}

double conv_flops(double side, double out, double in, double kernel) {
  return 2 * side * side * out * in * kernel * kernel;
}

double resnet_flops(const VisionConfig& vision, int embed_dim) {
  const double width = vision.width;
  double side = vision.image_size / 2;
  double flops = conv_flops(side, width / 2, 3, 3) + conv_flops(side, width / 2, width / 2, 3) +
                 conv_flops(side, width, width / 2, 3);
  side /= 2;
  double in = width;
  for (int stage = 0; stage < 4; ++stage) {
    const double planes = width * (1 << stage);
    for (int i = 0; i < vision.stages[stage]; ++i) {
      flops += conv_flops(side, planes, in, 1) + conv_flops(side, planes, planes, 3);
      if (i == 0 && stage > 0) side /= 2;  // the pooling sits between the 3x3 and the last 1x1
      flops += conv_flops(side, 4 * planes, planes, 1);
      if (i == 0) flops += conv_flops(side, 4 * planes, in, 1);
      in = 4 * planes;
    }
  }
  // Attention pooling: keys and values of all positions, one query.
  const double positions = double(vision.grid()) * vision.grid() + 1;
  return flops + 2 * in * in * (2 * positions + 1) + 4 * positions * in + 2 * in * embed_dim;
}

double convnext_flops(const VisionConfig& vision, int embed_dim) {
  const ConvNextConfig& convnext = *vision.convnext;
  double flops = 0;
  for (int stage = 0; stage < 4; ++stage) {
    const auto s = static_cast<size_t>(stage);
    const double side = static_cast<double>(convnext.side(vision.image_size, stage));
    const double width = convnext.dims[s];
    flops += stage == 0 ? conv_flops(side, width, 3, 4)
                        : conv_flops(side, width, convnext.dims[s - 1], 2);
    flops += convnext.depths[s] *
             (conv_flops(side, width, 1, 7) + 2 * conv_flops(side, 4 * width, width, 1));
  }
  const double width = convnext.dims.back(), hidden = convnext.head_hidden;
  return flops + (hidden > 0 ? 2 * hidden * (width + embed_dim) : 2 * width * embed_dim);
}

double fastvit_flops(const VisionConfig& vision, int embed_dim) {
  const FastVitConfig& fastvit = *vision.fastvit;
  const double first = fastvit.stages.front().width;
  const double start = static_cast<double>(FastVitConfig::side(vision.image_size, 0));
  double flops = conv_flops(2 * start, first, 3, 3) + conv_flops(start, first, 1, 3) +
                 conv_flops(start, first, first, 1);
  for (size_t s = 0; s < fastvit.stages.size(); ++s) {
    const FastVitConfig::Stage& stage = fastvit.stages[s];
    const double side = static_cast<double>(FastVitConfig::side(vision.image_size, s));
    const double area = side * side, width = stage.width;
    if (s > 0) flops += conv_flops(side, width, 1, 7) + conv_flops(side, width, width, 1);
    if (stage.attention) flops += conv_flops(side, width, 1, 7);
    const double mix = stage.attention
                           ? 4 * conv_flops(side, width, width, 1) + 4 * area * area * width
                           : conv_flops(side, width, 1, 3);
    flops += stage.depth * (mix + conv_flops(side, width, 1, 7) +
                            2 * conv_flops(side, stage.mlp_width, width, 1));
  }
  const double last =
      static_cast<double>(FastVitConfig::side(vision.image_size, fastvit.stages.size() - 1));
  return flops + conv_flops(last, vision.width, 1, 3) + 2.0 * vision.width * embed_dim;
}

}  // namespace

double image_flops(const ModelConfig& config) {
  if (config.vision.fastvit) return fastvit_flops(config.vision, config.embed_dim);
  if (config.vision.convnext) return convnext_flops(config.vision, config.embed_dim);
  return config.vision.is_resnet ? resnet_flops(config.vision, config.embed_dim)
                                 : vit_flops(config.vision, config.embed_dim);
}

double text_flops(const ModelConfig& config, int64_t tokens) {
  const TextConfig& text = config.text;
  const double count = static_cast<double>(tokens);
  const double pairs = text.causal ? count * (count + 1) / 2 : count * count;
  const double hidden = text.hf ? text.hf->proj_hidden : 0;
  const double projection = hidden > 0 ? 2.0 * hidden * (text.width + config.embed_dim)
                                       : 2.0 * text.width * config.embed_dim;
  return text.layers * block_flops(count, pairs, text.width, text.mlp_width) +
         (text.has_projection ? projection : 0.0);
}

int64_t parameter_count(const ModelConfig& config) {
  int64_t total = 0;
  for (const TensorSpec& spec : model_tensors(config)) {
    int64_t count = spec.trainable ? 1 : 0;
    for (const int64_t dim : spec.shape) count *= dim;
    total += count;
  }
  return total;
}

}  // namespace openclip
