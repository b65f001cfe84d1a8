#include "models/towers/vit.h"

#include <algorithm>
#include <cstring>

#include "kernels/images.h"
#include "tensor/split.h"

namespace openclip {
namespace {

int64_t tokens_of(const VisionConfig& config) { return int64_t{config.grid()} * config.grid() + 1; }

// Rows of about this many tokens keep all cores busy, while one block's activations still fit the
// caches of current processors (2 K x 3072 floats of the MLP are 25 MB).
constexpr int64_t kChunkTokens = 2048;

TransformerConfig blocks_of(const VisionConfig& config) {
  return {.prefix = "visual.transformer.",
          .width = config.width,
          .heads = config.heads,
          .layers = config.layers,
          .mlp_width = config.mlp_width,
          .layer_scale = config.ls_init_value.has_value(),
          .causal = false,
          .activation = config.activation,
          .norm_eps = config.norm_eps};
}

}  // namespace

VitTower::VitTower(const Context& context, const Weights& weights, const VisionConfig& config)
    : ImageTower(config.image_size, std::max<int64_t>(1, kChunkTokens / tokens_of(config))),
      config_(config),
      tokens_(tokens_of(config)),
      patches_(weights.linear(context,
                              Weights::LinearNames{.weight = "visual.conv1.weight", .bias = ""})),
      positions_(weights.tensor(context, "visual.positional_embedding")),
      ln_post_(NormWeights::load(context, weights, "visual.ln_post", config.norm_eps)),
      blocks_(context, weights, blocks_of(config)),
      proj_(weights.linear(
          context, {.weight = "visual.proj", .bias = "", .layout = Linear::Layout::in_out})) {
  if (!config.no_ln_pre)
    ln_pre_ = NormWeights::load(context, weights, "visual.ln_pre", config.norm_eps);
  const Tensor class_token = weights.tensor(context, "visual.class_embedding");
  for (int64_t i = 0; i < class_token.elements(); ++i)
    positions_.data()[i] += class_token.data()[i];
}

void VitTower::embed(const Context& context, Workspace& workspace, const float* pixels,
                     int64_t count, Matrix x) const {
  const Workspace::Frame frame(workspace);
  const Matrix patches = workspace.take(count * (tokens_ - 1), config_.width);
  const kernels::PatchRows rows(pixels, 3, static_cast<size_t>(config_.image_size),
                                static_cast<size_t>(config_.patch_size));
  linear(context, rows, patches_, patches);
  const ConstMatrix positions = positions_.matrix();
  for_rows(context, count, tokens_ * config_.width, [&](int64_t begin, int64_t images) {
    for (int64_t i = begin; i < begin + images; ++i) {
      const Matrix own = x.row_range(i * tokens_, tokens_);
      std::memcpy(own.data, positions.data, sizeof(float) * static_cast<size_t>(config_.width));
      kernels::add_rows(ConstMatrix(patches.row_range(i * (tokens_ - 1), tokens_ - 1)),
                        positions.row_range(1, tokens_ - 1), own.row_range(1, tokens_ - 1));
    }
  });
  if (ln_pre_) ln_pre_->apply(context, x, x);
}

void VitTower::pool_average(const Context& context, int64_t count, Matrix x, Matrix out) const {
  if (!config_.final_ln_after_pool) ln_post_.apply(context, x, x);
  for_rows(context, count, tokens_ * config_.width, [&](int64_t begin, int64_t images) {
    for (int64_t i = begin; i < begin + images; ++i)
      kernels::mean_of_rows(ConstMatrix(x.row_range(i * tokens_ + 1, tokens_ - 1)), out.row(i));
  });
  if (config_.final_ln_after_pool) ln_post_.apply(context, out, out);
}

void VitTower::encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                            Matrix out) const {
  const int64_t count = out.rows;
  const Matrix x = workspace.take(count * tokens_, config_.width);
  const Matrix pooled = workspace.take(count, config_.width);
  embed(context, workspace, pixels, count, x);
  std::vector<AttentionSpan> spans;
  std::vector<int64_t> class_rows;
  const auto tokens = static_cast<size_t>(tokens_);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    spans.push_back({i * tokens, tokens, i * tokens, tokens});
    class_rows.push_back(static_cast<int64_t>(i) * tokens_);
  }
  if (config_.pool == VisionPool::avg) {
    blocks_.run(context, workspace, x, spans);
    pool_average(context, count, x, pooled);
  } else {
    blocks_.run_pooled(context, workspace, x, spans, class_rows, pooled);
    ln_post_.apply(context, pooled, pooled);
  }
  linear(context, pooled, proj_, out);
}

}  // namespace openclip
