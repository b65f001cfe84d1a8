#include <fmt/format.h>

#include "models/config/tensor_table_parts.h"

namespace openclip::table {
namespace {

// timm draws the blocks' 1x1 convolutions and all Linears from a normal of 0.02, with zero bias;
// other convolutions are PyTorch's.
const Init kBlockWeight = normal(0.02);

// ConvNormAct: a convolution without bias and its BatchNorm.
void add_conv_norm(Table& table, const std::string& name, int64_t out, int64_t in, int64_t kernel) {
  table.conv(name + ".conv", out, in, kernel);
  table.batch_norm(name + ".bn", out);
}

void add_biased_conv(Table& table, const std::string& name, int64_t out, int64_t in, int64_t kernel,
                     Init weight, Init bias) {
  table.add(name + ".weight", {out, in, kernel, kernel}, weight);
  table.add(name + ".bias", {out}, bias);
}

void add_squeeze(Table& table, const std::string& name, int64_t width, int64_t hidden) {
  add_biased_conv(table, name + ".fc1", hidden, width, 1, fan_in(width), fan_in(width));
  add_biased_conv(table, name + ".fc2", width, hidden, 1, fan_in(hidden), fan_in(hidden));
}

// MobileOneBlock: the branches that it has.
struct Branches {
  bool identity = false, conv = true, scale = true;
};

void add_mobile_one(Table& table, const std::string& name, int64_t out, int64_t in, int64_t kernel,
                    Branches branches) {
  if (branches.identity) table.batch_norm(name + ".identity", out);
  if (branches.conv) add_conv_norm(table, name + ".conv_kxk.0", out, in, kernel);
  if (branches.scale) add_conv_norm(table, name + ".conv_scale", out, in, 1);
}

void add_mlp(Table& table, const std::string& block, const FastVitConfig::Stage& stage) {
  add_conv_norm(table, block + ".mlp.conv", stage.width, 1, 7);
  add_biased_conv(table, block + ".mlp.fc1", stage.mlp_width, stage.width, 1, kBlockWeight,
                  constant(0));
  add_biased_conv(table, block + ".mlp.fc2", stage.width, stage.mlp_width, 1, kBlockWeight,
                  constant(0));
}

void add_scale(Table& table, const std::string& name, int64_t width) {
  table.add(name + ".gamma", {width, 1, 1}, constant(1e-5));
}

void add_mixer_block(Table& table, const std::string& block, const FastVitConfig::Stage& stage) {
  const std::string mixer = block + ".token_mixer";
  add_mobile_one(table, mixer + ".norm", stage.width, 1, 3, {true, false, false});
  add_mobile_one(table, mixer + ".mixer", stage.width, 1, 3, {true, true, true});
  add_scale(table, mixer + ".layer_scale", stage.width);
  add_mlp(table, block, stage);
  add_scale(table, block + ".layer_scale", stage.width);
}

void add_attention_block(Table& table, const std::string& block, const FastVitConfig::Stage& stage,
                         bool layer_norm) {
  const int64_t width = stage.width;
  if (layer_norm)
    table.layer_norm(block + ".norm", width);
  else
    table.batch_norm(block + ".norm", width);
  table.add(block + ".token_mixer.qkv.weight", {3 * width, width}, kBlockWeight);
  table.linear(block + ".token_mixer.proj", width, width, kBlockWeight, constant(0));
  add_scale(table, block + ".layer_scale_1", width);
  add_mlp(table, block, stage);
  add_scale(table, block + ".layer_scale_2", width);
}

void add_downsample(Table& table, const std::string& name, const FastVitConfig::Stage& stage) {
  add_conv_norm(table, name + ".proj.0.large_conv", stage.width, 1, 7);
  add_conv_norm(table, name + ".proj.0.small_conv", stage.width, 1, 3);
  if (stage.squeeze)
    add_squeeze(table, name + ".proj.0.se", stage.width, FastVitConfig::stage_squeeze(stage.width));
  add_mobile_one(table, name + ".proj.1", stage.width, stage.width, 1, {true, true, false});
}

}  // namespace

void add_fastvit(Table& table, const ModelConfig& config) {
  const FastVitConfig& fastvit = *config.vision.fastvit;
  const int64_t first = fastvit.stages.front().width;
  add_mobile_one(table, "trunk.stem.0", first, 3, 3, {false, true, fastvit.stem_scale});
  add_mobile_one(table, "trunk.stem.1", first, 1, 3, {false, true, fastvit.stem_scale});
  add_mobile_one(table, "trunk.stem.2", first, first, 1, {true, true, false});
  for (size_t s = 0; s < fastvit.stages.size(); ++s) {
    const FastVitConfig::Stage& stage = fastvit.stages[s];
    const std::string name = fmt::format("trunk.stages.{}", s);
    if (s > 0) add_downsample(table, name + ".downsample", stage);
    if (stage.attention)
      add_biased_conv(table, name + ".pos_emb.pos_enc", stage.width, 1, 7, fan_in(49), fan_in(49));
    for (int b = 0; b < stage.depth; ++b) {
      const std::string block = fmt::format("{}.blocks.{}", name, b);
      if (stage.attention)
        add_attention_block(table, block, stage, fastvit.layer_norm);
      else
        add_mixer_block(table, block, stage);
    }
  }
  const int64_t width = config.vision.width;
  add_squeeze(table, "trunk.final_conv.se", width,
              FastVitConfig::final_squeeze(config.vision.width));
  add_mobile_one(table, "trunk.final_conv", width, 1, 3, {false, true, true});
  table.linear("trunk.head.fc", config.embed_dim, width, kBlockWeight, constant(0));
}

}  // namespace openclip::table
