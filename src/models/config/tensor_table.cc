#include "models/config/tensor_table.h"

#include <cmath>

#include "base/error.h"
#include "models/config/tensor_table_parts.h"
#include "models/config/vit_keys.h"

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

void add_block(Table& table, const std::string& block, const BlockKeys& keys,
               const BlockShape& shape, const BlockInit& init) {
  const int64_t width = shape.width;
  const std::string dot = block + ".";
  table.layer_norm(dot + keys.ln_1, width);
  table.add(dot + keys.qkv_weight, {3 * width, width}, init.in_proj);
  table.add(dot + keys.qkv_bias, {3 * width}, constant(0));
  table.linear(dot + keys.out_proj, width, width, init.out_proj, constant(0));
  if (shape.layer_scale)
    table.add(dot + keys.ls_1 + ".gamma", {width}, constant(*shape.layer_scale));
  table.layer_norm(dot + keys.ln_2, width);
  table.linear(dot + keys.c_fc, shape.mlp_width, width, init.c_fc, fan_in(width));
  table.linear(dot + keys.c_proj, width, shape.mlp_width, init.c_proj, fan_in(shape.mlp_width));
  if (shape.layer_scale)
    table.add(dot + keys.ls_2 + ".gamma", {width}, constant(*shape.layer_scale));
}

void add_positions(Table& table, const std::string& name, std::vector<int64_t> shape, Init init,
                   TensorSpec::Resize resize, int prefix_rows = 0) {
  table.add(name, std::move(shape), init);
  table.specs.back().resize = resize;
  table.specs.back().prefix_rows = prefix_rows;
}

// open_clip's AttentionalPooler. nn.MultiheadAttention keeps q, k and v in one matrix where keys
// are as wide as queries.
void add_attentional_pool(Table& table, const VisionConfig& vision, int64_t embed_dim) {
  const int64_t width = vision.width;
  table.add("attn_pool.query", {vision.attn_pool_queries, embed_dim}, normal(1));
  if (width == embed_dim) {
    table.add("attn_pool.attn.in_proj_weight", {3 * width, width},
              uniform(std::sqrt(6.0 / (4.0 * width))));
  } else {
    table.add("attn_pool.attn.q_proj_weight", {embed_dim, embed_dim},
              uniform(std::sqrt(6.0 / (2.0 * embed_dim))));
    for (const char* name : {"k", "v"})
      table.add(fmt::format("attn_pool.attn.{}_proj_weight", name), {embed_dim, width},
                uniform(std::sqrt(6.0 / (embed_dim + width))));
  }
  table.add("attn_pool.attn.in_proj_bias", {3 * embed_dim}, constant(0));
  table.linear("attn_pool.attn.out_proj", embed_dim, embed_dim, fan_in(embed_dim), constant(0));
  table.layer_norm("attn_pool.ln_q", embed_dim);
  table.layer_norm("attn_pool.ln_k", width);
}

void add_vit(Table& table, const VisionConfig& vision, int embed_dim) {
  const int64_t width = vision.width;
  const double scale = 1.0 / std::sqrt(static_cast<double>(width));
  table.add("class_embedding", {width}, normal(scale));
  const Init positions = vision.fixed_positions ? Init{Init::Kind::sin_cos} : normal(scale);
  add_positions(table, "positional_embedding", {vision.tokens(), width}, positions,
                TensorSpec::Resize::grid, 1);
  table.specs.back().trainable = !vision.fixed_positions;
  const int64_t pooled = vision.attn_pool_queries > 0 ? embed_dim : width;
  table.add("proj", {pooled, embed_dim}, normal(scale));
  table.conv("conv1", width, 3, vision.patch_size);
  if (!vision.no_ln_pre) table.layer_norm("ln_pre", width);
  // nn.MultiheadAttention: xavier_uniform on the fused [3 width, width] matrix.
  const BlockInit init{uniform(std::sqrt(6.0 / (4.0 * width))), fan_in(width), constant(0),
                       fan_in(width), fan_in(vision.mlp_width)};
  for (int i = 0; i < vision.layers; ++i)
    add_block(table, fmt::format("{}.{}", kOpenClipVit.blocks, i), kOpenClipBlock,
              {width, vision.mlp_width, vision.ls_init_value}, init);
  if (vision.attn_pool_queries > 0) add_attentional_pool(table, vision, embed_dim);
  table.layer_norm("ln_post", pooled);
}

// timm's AttentionPoolLatent with one query, and its MLP.
void add_latent_pool(Table& table, const VisionConfig& vision, Init weight) {
  const int64_t width = vision.width, wide = vision.pool_mlp_width;
  table.add("trunk.attn_pool.latent", {1, 1, width},
            normal(1.0 / std::sqrt(static_cast<double>(width))));
  table.linear("trunk.attn_pool.q", width, width, weight, constant(0));
  table.linear("trunk.attn_pool.kv", 2 * width, width, weight, constant(0));
  table.linear("trunk.attn_pool.proj", width, width, weight, constant(0));
  table.layer_norm("trunk.attn_pool.norm", width);
  table.linear("trunk.attn_pool.mlp.fc1", wide, width, weight, constant(0));
  table.linear("trunk.attn_pool.mlp.fc2", width, wide, weight, constant(0));
}

// timm's EvaBlock and EvaBlockPostNorm.
void add_eva_block(Table& table, const std::string& block, const VisionConfig& vision,
                   Init weight) {
  const EvaConfig& eva = *vision.eva;
  const int64_t width = vision.width, wide = vision.mlp_width;
  table.layer_norm(block + "norm1", width);
  if (eva.qkv == EvaQkv::separate) {
    table.linear(block + "attn.q_proj", width, width, weight, constant(0));
    table.add(block + "attn.k_proj.weight", {width, width}, weight);
    table.linear(block + "attn.v_proj", width, width, weight, constant(0));
  } else {
    table.add(block + "attn.qkv.weight", {3 * width, width}, weight);
    if (eva.qkv == EvaQkv::joint) {
      table.add(block + "attn.qkv.bias", {3 * width}, constant(0));
    } else {
      table.add(block + "attn.q_bias", {width}, constant(0));
      table.add(block + "attn.v_bias", {width}, constant(0));
    }
  }
  if (eva.swiglu) table.layer_norm(block + "attn.norm", width);
  table.linear(block + "attn.proj", width, width, weight, constant(0));
  table.layer_norm(block + "norm2", width);
  if (eva.swiglu) {
    table.linear(block + "mlp.fc1_g", wide, width, weight, constant(0));
    table.linear(block + "mlp.fc1_x", wide, width, weight, constant(0));
    table.layer_norm(block + "mlp.norm", wide);
  } else {
    table.linear(block + "mlp.fc1", wide, width, weight, constant(0));
  }
  table.linear(block + "mlp.fc2", width, wide, weight, constant(0));
}

// timm's ConvStem of vit_base_mci_224.
void add_conv_stem(Table& table, const std::string& name, int64_t width) {
  table.conv(name + "0.conv", width / 4, 3, 4);
  table.batch_norm(name + "0.bn", width / 4);
  table.conv(name + "1.conv", width / 4, width / 4, 2);
  table.batch_norm(name + "1.bn", width / 4);
  table.conv(name + "2.conv", width, width / 4, 2);
  table.add(name + "2.conv.bias", {width}, fan_in(width));
}

// timm's VisionTransformer and Eva. Its weights start from N(0, 0.02), biases from 0.
void add_timm_vit(Table& table, const VisionConfig& vision, int embed_dim) {
  const VitKeys& keys = kTimmVit;
  const int64_t width = vision.width, patch = vision.patch_size;
  const Init weight = normal(0.02);
  if (vision.class_token) table.add(keys.class_token, {1, 1, width}, normal(1e-6));
  const int prefix = vision.class_token && vision.class_position ? 1 : 0;
  add_positions(table, keys.positions, {1, int64_t{vision.grid()} * vision.grid() + prefix, width},
                weight, TensorSpec::Resize::grid, prefix);
  if (vision.conv_stem)
    add_conv_stem(table, "trunk.patch_embed.backbone.", width);
  else
    table.conv(keys.patches, width, 3, patch);
  if (vision.patch_bias && !vision.conv_stem)
    table.add(std::string(keys.patches) + ".bias", {width}, fan_in(3 * patch * patch));
  if (!vision.no_ln_pre) table.layer_norm(keys.ln_pre, width);
  const BlockInit init{weight, weight, constant(0), weight, weight};
  for (int i = 0; i < vision.layers; ++i) {
    const std::string block = fmt::format("{}.{}", keys.blocks, i);
    if (vision.eva)
      add_eva_block(table, block + ".", vision, weight);
    else
      add_block(table, block, keys.block, {width, vision.mlp_width, std::nullopt}, init);
  }
  table.layer_norm(keys.ln_post, width);
  if (vision.pool == VisionPool::map) add_latent_pool(table, vision, weight);
  if (vision.projection == VisionProjection::linear)
    table.linear("trunk.head", embed_dim, width, weight, constant(0));
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
  if (config.vision.fastvit)
    add_fastvit(table, config);
  else if (config.vision.convnext)
    add_convnext(table, config);
  else if (config.vision.is_resnet)
    add_resnet(table, config.vision, config.embed_dim);
  else if (config.vision.is_timm())
    add_timm_vit(table, config.vision, config.embed_dim);
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
  add_positions(table, "positional_embedding",
                {text.context_length + (text.embed_cls ? 1 : 0), width}, normal(0.01),
                text.embed_cls ? TensorSpec::Resize::none : TensorSpec::Resize::sequence);
  if (text.embed_cls) table.add("cls_emb", {width}, normal(0.01));
  if (text.has_projection && !text.projection_bias)
    table.add("text_projection", {width, config.embed_dim}, normal(attention));
  const BlockInit init{normal(attention), normal(residual), constant(0),
                       normal(1.0 / std::sqrt(2.0 * width)), normal(residual)};
  for (int i = 0; i < text.layers; ++i)
    add_block(table, fmt::format("transformer.resblocks.{}", i), kOpenClipBlock,
              {width, text.mlp_width, text.ls_init_value}, init);
  table.add("token_embedding.weight", {text.vocab_size, width}, normal(0.02));
  table.layer_norm("ln_final", width);
  if (text.has_projection && text.projection_bias)
    table.linear("text_projection", config.embed_dim, width, normal(attention), constant(0));
  return std::move(table.specs);
}

std::vector<TensorSpec> decoder_tensors(const DecoderConfig& decoder) {
  const int64_t width = decoder.width;
  const double attention = 1.0 / std::sqrt(static_cast<double>(width));
  // open_clip does not call its own initialisation here: what remains is PyTorch's, but for
  // text_projection, which it leaves as it finds the memory.
  const BlockInit init{uniform(std::sqrt(6.0 / (4.0 * width))), fan_in(width), constant(0),
                       fan_in(width), fan_in(decoder.mlp_width)};
  Table table("text_decoder.");
  table.add("text_projection", {width, decoder.vocab_size}, normal(attention));
  for (int i = 0; i < decoder.layers; ++i)
    add_block(table, fmt::format("resblocks.{}", i), kOpenClipBlock,
              {width, decoder.mlp_width, decoder.ls_init_value}, init);
  for (int i = 0; i < decoder.layers; ++i) {
    add_block(table, fmt::format("cross_attn.{}", i), kOpenClipBlock,
              {width, decoder.mlp_width, decoder.ls_init_value}, init);
    table.layer_norm(fmt::format("cross_attn.{}.ln_1_kv", i), width);
  }
  table.layer_norm("ln_final", width);
  return std::move(table.specs);
}

std::vector<TensorSpec> box_head_tensors(const ModelConfig& config) {
  Table heads("");
  if (config.boxes == BoxHeads::none) return {};
  const int64_t width = config.vision.width;
  const auto linear = [&](const std::string& name, int64_t out) {
    heads.linear(name, out, width, normal(1), constant(0));  // transformers' initializer_factor
  };
  const auto perceptron = [&](const std::string& name, int64_t out) {
    linear(name + ".dense0", width);
    linear(name + ".dense1", width);
    linear(name + ".dense2", out);
  };
  linear("class_head.dense0", config.text.width);
  linear("class_head.logit_shift", 1);
  linear("class_head.logit_scale", 1);
  perceptron("box_head", 4);
  if (config.boxes == BoxHeads::owlv2) perceptron("objectness_head", 1);
  heads.layer_norm("layer_norm", width);
  return std::move(heads.specs);
}

std::vector<TensorSpec> model_tensors(const ModelConfig& config) {
  if (config.text_only) return text_tensors(config);
  Table root("");
  root.add("logit_scale", {}, constant(std::log(1.0 / 0.07)));
  if (config.has_logit_bias) root.add("logit_bias", {}, constant(-10));
  std::vector<TensorSpec> all = std::move(root.specs);
  for (auto tower : {text_tensors(config), vision_tensors(config), box_head_tensors(config)})
    for (TensorSpec& spec : tower) all.push_back(std::move(spec));
  if (config.decoder)
    for (TensorSpec& spec : decoder_tensors(*config.decoder)) all.push_back(std::move(spec));
  return all;
}

}  // namespace openclip
