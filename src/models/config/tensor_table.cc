#include "models/config/tensor_table.h"

#include <cmath>

#include "base/error.h"
#include "models/config/tensor_table_parts.h"

namespace openclip {
namespace {

using namespace table;

struct BlockInit {
  Init in_proj, out_proj, out_proj_bias, c_fc, c_proj;
};

struct BlockShape {
  int64_t width, mlp_width;
  std::optional<float> layer_scale;
};

void add_block(Table& table, const std::string& block, const BlockShape& shape,
               const BlockInit& init) {
  const int64_t width = shape.width;
  table.layer_norm(block + ".ln_1", width);
  table.add(block + ".attn.in_proj_weight", {3 * width, width}, init.in_proj);
  table.add(block + ".attn.in_proj_bias", {3 * width}, constant(0));
  table.linear(block + ".attn.out_proj", width, width, init.out_proj, constant(0));
  if (shape.layer_scale) table.add(block + ".ls_1.gamma", {width}, constant(*shape.layer_scale));
  table.layer_norm(block + ".ln_2", width);
  table.linear(block + ".mlp.c_fc", shape.mlp_width, width, init.c_fc, fan_in(width));
  table.linear(block + ".mlp.c_proj", width, shape.mlp_width, init.c_proj, fan_in(shape.mlp_width));
  if (shape.layer_scale) table.add(block + ".ls_2.gamma", {width}, constant(*shape.layer_scale));
}

void add_vit(Table& table, const VisionConfig& vision, int embed_dim) {
  const int64_t width = vision.width;
  const int64_t patches = int64_t{vision.grid()} * vision.grid();
  const double scale = 1.0 / std::sqrt(static_cast<double>(width));
  table.add("class_embedding", {width}, normal(scale));
  table.add("positional_embedding", {patches + 1, width}, normal(scale));
  table.add("proj", {width, embed_dim}, normal(scale));
  table.conv("conv1", width, 3, vision.patch_size);
  if (!vision.no_ln_pre) table.layer_norm("ln_pre", width);
  // nn.MultiheadAttention: xavier_uniform on the fused [3 width, width] matrix.
  const BlockInit init{uniform(std::sqrt(6.0 / (4.0 * width))), fan_in(width), constant(0),
                       fan_in(width), fan_in(vision.mlp_width)};
  for (int i = 0; i < vision.layers; ++i)
    add_block(table, fmt::format("transformer.resblocks.{}", i),
              {width, vision.mlp_width, vision.ls_init_value}, init);
  table.layer_norm("ln_post", width);
}

void add_bottleneck(Table& table, const std::string& block, int64_t in, int64_t planes,
                    bool downsample) {
  table.conv(block + ".conv1", planes, in, 1);
  table.batch_norm(block + ".bn1", planes);
  table.conv(block + ".conv2", planes, planes, 3);
  table.batch_norm(block + ".bn2", planes);
  table.conv(block + ".conv3", 4 * planes, planes, 1);
  table.batch_norm(block + ".bn3", 4 * planes, /*weight=*/0);  // blocks start as the identity
  if (downsample) {
    table.conv(block + ".downsample.0", 4 * planes, in, 1);
    table.batch_norm(block + ".downsample.1", 4 * planes);
  }
}

void add_resnet(Table& table, const VisionConfig& vision, int embed_dim) {
  const int64_t width = vision.width;
  table.conv("conv1", width / 2, 3, 3);
  table.batch_norm("bn1", width / 2);
  table.conv("conv2", width / 2, width / 2, 3);
  table.batch_norm("bn2", width / 2);
  table.conv("conv3", width, width / 2, 3);
  table.batch_norm("bn3", width);
  int64_t in = width;
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t planes = width << stage;
    for (int i = 0; i < vision.stages[stage]; ++i) {
      add_bottleneck(table, fmt::format("layer{}.{}", stage + 1, i), in, planes,
                     i == 0 && (stage > 0 || in != 4 * planes));
      in = 4 * planes;
    }
  }
  const int64_t features = 32 * width;
  const double scale = 1.0 / std::sqrt(static_cast<double>(features));
  const int64_t positions = int64_t{vision.grid()} * vision.grid() + 1;
  table.add("attnpool.positional_embedding", {positions, features}, normal(scale));
  for (const char* name : {"k_proj", "q_proj", "v_proj"})
    table.linear(fmt::format("attnpool.{}", name), features, features, normal(scale),
                 fan_in(features));
  table.linear("attnpool.c_proj", embed_dim, features, normal(scale), fan_in(features));
}

}  // namespace

std::vector<TensorSpec> vision_tensors(const ModelConfig& config) {
  Table table("visual.");
  if (config.vision.convnext)
    add_convnext(table, config);
  else if (config.vision.is_resnet)
    add_resnet(table, config.vision, config.embed_dim);
  else
    add_vit(table, config.vision, config.embed_dim);
  return std::move(table.specs);
}

std::vector<TensorSpec> text_tensors(const ModelConfig& config) {
  const TextConfig& text = config.text;
  const int64_t width = text.width;
  const double attention = 1.0 / std::sqrt(static_cast<double>(width));
  const double residual = attention / std::sqrt(2.0 * text.layers);
  Table table(config.custom_text ? "text." : "");
  if (text.hf) {
    add_hf_text(table, config);
    return std::move(table.specs);
  }
  table.add("positional_embedding", {text.context_length, width}, normal(0.01));
  if (text.has_projection && !text.projection_bias)
    table.add("text_projection", {width, config.embed_dim}, normal(attention));
  const BlockInit init{normal(attention), normal(residual), constant(0),
                       normal(1.0 / std::sqrt(2.0 * width)), normal(residual)};
  for (int i = 0; i < text.layers; ++i)
    add_block(table, fmt::format("transformer.resblocks.{}", i),
              {width, text.mlp_width, text.ls_init_value}, init);
  table.add("token_embedding.weight", {text.vocab_size, width}, normal(0.02));
  table.layer_norm("ln_final", width);
  if (text.has_projection && text.projection_bias)
    table.linear("text_projection", config.embed_dim, width, normal(attention), constant(0));
  return std::move(table.specs);
}

std::vector<TensorSpec> model_tensors(const ModelConfig& config) {
  Table root("");
  root.add("logit_scale", {}, constant(std::log(1.0 / 0.07)));
  if (config.has_logit_bias) root.add("logit_bias", {}, constant(-10));
  std::vector<TensorSpec> all = std::move(root.specs);
  for (auto tower : {text_tensors(config), vision_tensors(config)})
    for (TensorSpec& spec : tower) all.push_back(std::move(spec));
  return all;
}

}  // namespace openclip
