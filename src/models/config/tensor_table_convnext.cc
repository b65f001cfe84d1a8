#include <fmt/format.h>

#include "models/config/tensor_table_parts.h"

namespace openclip::table {
namespace {

// timm draws the trunk's convolutions and Linears from a normal of 0.02 cut at +-2, with zero bias.
const Init kTrunkWeight = normal(0.02);

void add_conv(Table& table, const std::string& name, int64_t out, int64_t in, int64_t kernel) {
  table.add(name + ".weight", {out, in, kernel, kernel}, kTrunkWeight);
  table.add(name + ".bias", {out}, constant(0));
}

void add_convnext_block(Table& table, const std::string& block, int64_t width) {
  table.add(block + ".gamma", {width}, constant(1e-6));
  add_conv(table, block + ".conv_dw", width, 1, 7);
  table.layer_norm(block + ".norm", width);
  table.linear(block + ".mlp.fc1", 4 * width, width, kTrunkWeight, constant(0));
  table.linear(block + ".mlp.fc2", width, 4 * width, kTrunkWeight, constant(0));
}

}  // namespace

void add_convnext(Table& table, const ModelConfig& config) {
  const ConvNextConfig& convnext = *config.vision.convnext;
  add_conv(table, "trunk.stem.0", convnext.dims[0], 3, 4);
  table.layer_norm("trunk.stem.1", convnext.dims[0]);
  for (size_t s = 0; s < convnext.dims.size(); ++s) {
    const std::string stage = fmt::format("trunk.stages.{}", s);
    if (s > 0) {
      table.layer_norm(stage + ".downsample.0", convnext.dims[s - 1]);
      add_conv(table, stage + ".downsample.1", convnext.dims[s], convnext.dims[s - 1], 2);
    }
    for (int b = 0; b < convnext.depths[s]; ++b)
      add_convnext_block(table, fmt::format("{}.blocks.{}", stage, b), convnext.dims[s]);
  }
  const int64_t width = convnext.dims.back();
  table.layer_norm("trunk.head.norm", width);
  const int64_t in = convnext.head_hidden > 0 ? convnext.head_hidden : width;
  const std::string last = convnext.head_hidden > 0 ? "head.mlp.fc2" : "head.proj";
  if (convnext.head_hidden > 0)
    table.linear("head.mlp.fc1", in, width, fan_in(width), fan_in(width));
  table.add(last + ".weight", {config.embed_dim, in}, fan_in(in));
  if (convnext.head_bias) table.add(last + ".bias", {config.embed_dim}, fan_in(in));
}

}  // namespace openclip::table
