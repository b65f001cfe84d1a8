#include "models/towers/vit.h"

#include <algorithm>
#include <cstring>

#include "models/towers/chunk.h"
#include "models/towers/positions.h"
#include "tensor/split.h"

namespace openclip {
namespace {

std::string key(const char* name) { return std::string("visual.") + name; }

TransformerConfig blocks_of(const VisionConfig& config) {
  const VitKeys& keys = vit_keys(config);
  return {.prefix = key(keys.blocks) + ".",
          .keys = keys.block,
          .width = config.width,
          .heads = config.heads,
          .layers = config.layers,
          .mlp_width = config.mlp_width,
          .layer_scale = config.ls_init_value.has_value(),
          .causal = false,
          .pooled = config.pool == VisionPool::tok && config.attn_pool_queries == 0,
          .activation = config.activation,
          .norm_eps = config.norm_eps};
}

std::variant<Transformer, EvaBlocks> load_blocks(const Context& context, const Weights& weights,
                                                 const VisionConfig& config) {
  if (config.eva) return EvaBlocks(context, weights, key(vit_keys(config).blocks) + ".", config);
  return Transformer(context, weights, blocks_of(config));
}

Linear load_patches(const Context& context, const Weights& weights, const VisionConfig& config) {
  if (config.conv_stem) return {};
  const std::string name = key(vit_keys(config).patches);
  return weights.linear(context,
                        Weights::LinearNames{.weight = name + ".weight",
                                             .bias = config.patch_bias ? name + ".bias" : ""});
}

// [tokens, width], a row of zeros for a class token that has no position.
Tensor load_positions(const Context& context, const Weights& weights, const VisionConfig& config) {
  Tensor stored = weights.positions(context, key(vit_keys(config).positions));
  if (!config.class_token || config.class_position) return stored;
  Tensor all{Shape{config.tokens(), config.width}};
  std::fill_n(all.data(), config.width, 0.0f);
  std::copy_n(stored.data(), stored.elements(), all.data() + config.width);
  return all;
}

}  // namespace

VitTower::VitTower(const Context& context, const Weights& weights, const VisionConfig& config)
    : ImageTower(config.image_size,
                 std::max<int64_t>(1, picture_tokens(context) / config.tokens())),
      config_(config),
      tokens_(config.tokens()),
      prefix_(config.class_token ? 1 : 0),
      patches_(load_patches(context, weights, config)),
      positions_(load_positions(context, weights, config)),
      ln_post_(NormWeights::load(context, weights, key(vit_keys(config).ln_post), config.norm_eps)),
      blocks_(load_blocks(context, weights, config)) {
  const VitKeys& keys = vit_keys(config);
  if (config.conv_stem) stem_.emplace(context, weights);
  if (!config.no_ln_pre)
    ln_pre_ = NormWeights::load(context, weights, key(keys.ln_pre), config.norm_eps);
  if (config.class_token) {
    const Tensor class_token = weights.tensor(context, key(keys.class_token));
    for (int64_t i = 0; i < class_token.elements(); ++i)
      positions_.data()[i] += class_token.data()[i];
  }
  if (config.pool == VisionPool::map)
    latent_pool_.emplace(context, weights, "visual.trunk.attn_pool",
                         LatentPoolConfig{config.eva ? config.eva->pool_heads : config.heads,
                                          config.activation, config.norm_eps});
  if (config.attn_pool_queries > 0) attentional_pool_.emplace(context, weights, config);
  if (config.projection == VisionProjection::matrix)
    proj_ = weights.linear(context,
                           {.weight = "visual.proj", .bias = "", .layout = Linear::Layout::in_out});
  else if (config.projection == VisionProjection::linear)
    proj_ = weights.linear(context, "visual.trunk.head");
}

void VitTower::place(const Context& context, ConstMatrix patches, ConstMatrix positions,
                     Matrix x) const {
  const int64_t tokens = positions.rows, each = tokens - prefix_, count = x.rows / tokens;
  for_rows(context, count, tokens * config_.width, [&](int64_t begin, int64_t images) {
    for (int64_t i = begin; i < begin + images; ++i) {
      const Matrix own = x.row_range(i * tokens, tokens);
      if (prefix_ > 0)
        std::memcpy(own.data, positions.data, sizeof(float) * static_cast<size_t>(config_.width));
      kernels::add_rows(patches.row_range(i * each, each), positions.row_range(prefix_, each),
                        own.row_range(prefix_, each));
    }
  });
  if (ln_pre_) ln_pre_->apply(context, x, x);
}

void VitTower::embed(const Context& context, Workspace& workspace, const float* pixels,
                     int64_t count, Matrix x) const {
  const Workspace::Frame frame(workspace);
  const Matrix patches = workspace.take(count * (tokens_ - prefix_), config_.width);
  const kernels::PatchRows rows(pixels, 3, static_cast<size_t>(config_.image_size),
                                static_cast<size_t>(config_.patch_size));
  if (stem_)
    stem_->run(context, workspace, pixels, config_.image_size, count, patches);
  else
    linear(context, rows, patches_, patches);
  place(context, patches, positions_.matrix(), x);
}

void VitTower::pool_average(const Context& context, int64_t count, Matrix x, Matrix out) const {
  if (!config_.final_ln_after_pool) ln_post_.apply(context, x, x);
  for_rows(context, count, tokens_ * config_.width, [&](int64_t begin, int64_t images) {
    for (int64_t i = begin; i < begin + images; ++i)
      kernels::mean_of_rows(ConstMatrix(x.row_range(i * tokens_ + prefix_, tokens_ - prefix_)),
                            out.row(i));
  });
  if (config_.final_ln_after_pool) ln_post_.apply(context, out, out);
}

std::vector<AttentionSpan> VitTower::spans_of(int64_t count) const {
  std::vector<AttentionSpan> spans;
  const auto tokens = static_cast<size_t>(tokens_);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i)
    spans.push_back({i * tokens, tokens, i * tokens, tokens});
  return spans;
}

void VitTower::run_blocks(const Context& context, Workspace& workspace, Matrix x,
                          int64_t count) const {
  const std::vector<AttentionSpan> spans = spans_of(x.rows / tokens_);
  std::visit([&](const auto& blocks) { blocks.run(context, workspace, x, spans, count); }, blocks_);
}

void VitTower::pool(const Context& context, Workspace& workspace, Matrix x, Matrix out) const {
  if (attentional_pool_) {
    run_blocks(context, workspace, x);
    return pool_attention(context, workspace, x, out);
  }
  if (config_.pool == VisionPool::tok) {
    std::vector<int64_t> class_rows;
    for (int64_t i = 0; i < out.rows; ++i) class_rows.push_back(i * tokens_);
    std::visit(
        [&](const auto& blocks) {
          blocks.run_pooled(context, workspace, x, spans_of(out.rows), class_rows, out);
        },
        blocks_);
    return ln_post_.apply(context, out, out);
  }
  run_blocks(context, workspace, x);
  if (config_.pool == VisionPool::avg) return pool_average(context, out.rows, x, out);
  ln_post_.apply(context, x, x);
  latent_pool_->run(context, workspace, x, out);
}

void VitTower::encode_chunk(const Context& context, Workspace& workspace, const float* pixels,
                            Matrix out) const {
  const Matrix x = workspace.take(out.rows * tokens_, config_.width);
  embed(context, workspace, pixels, out.rows, x);
  if (!proj_) return pool(context, workspace, x, out);
  const Matrix pooled = workspace.take(out.rows, proj_->in());
  pool(context, workspace, x, pooled);
  linear(context, pooled, *proj_, out);
}

void VitTower::pool_attention(const Context& context, Workspace& workspace, ConstMatrix x,
                              Matrix out) const {
  if (config_.pool == VisionPool::tok) {  // the first query's; the others are for captions
    attentional_pool_->run(context, workspace, x, out.rows, 1, out);
    return ln_post_.apply(context, out, out);
  }
  const int64_t each = attentional_pool_->queries();
  const Workspace::Frame frame(workspace);
  const Matrix tokens = workspace.take(out.rows * each, out.cols);
  attentional_pool_->run(context, workspace, x, out.rows, each, tokens);
  ln_post_.apply(context, tokens, tokens);
  for (int64_t i = 0; i < out.rows; ++i)
    kernels::mean_of_rows(ConstMatrix(tokens.row_range(i * each + 1, each - 1)), out.row(i));
}

int64_t VitTower::caption_tokens() const {
  return (attentional_pool_ ? attentional_pool_->queries() : tokens_) - 1;
}

// All tokens but the first, which open_clip's pooling takes out, after ln_post.
void VitTower::encode_caption_chunk(const Context& context, Workspace& workspace,
                                    const float* pixels, Matrix out) const {
  const int64_t kept = caption_tokens(), all = kept + 1, count = out.rows / kept;
  const Matrix x = workspace.take(count * tokens_, config_.width);
  embed(context, workspace, pixels, count, x);
  run_blocks(context, workspace, x);
  Matrix tokens = x;
  if (attentional_pool_) {
    tokens = workspace.take(count * all, out.cols);
    attentional_pool_->run(context, workspace, x, count, all, tokens);
  }
  ln_post_.apply(context, tokens, tokens);
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(out.row(i * kept), tokens.row(i * all + 1),
                sizeof(float) * static_cast<size_t>(kept * out.cols));
}

void VitTower::encode_tokens_chunk(const Context& context, Workspace& workspace,
                                   const float* pixels, const TokenStates& states,
                                   Matrix out) const {
  embed(context, workspace, pixels, out.rows / tokens_, out);
  run_blocks(context, workspace, out, states.block_count(config_.layers));
  if (states.final_norm) ln_post_.apply(context, out, out);
}

void VitTower::encode_places(const Context& context, Workspace& workspace, const DenseInput& input,
                             Matrix out) const {
  const int64_t patch = config_.patch_size;
  const DenseGrid grid{input.height / patch, input.width / patch, prefix_};
  const kernels::PatchRows rows(input.pixels, 3, static_cast<size_t>(input.height),
                                static_cast<size_t>(input.width), static_cast<size_t>(patch));
  Tensor resized;
  if (grid.rows != config_.grid() || grid.cols != config_.grid())
    resized = resize_grid_positions(positions_, prefix_, grid.rows, grid.cols);
  const Matrix patches = workspace.take(out.rows, config_.width);
  const Matrix x = workspace.take(prefix_ + out.rows, config_.width);
  const Matrix places = workspace.take(out.rows, config_.width);
  linear(context, rows, patches_, patches);
  place(context, patches, (resized.elements() > 0 ? resized : positions_).matrix(), x);
  std::get<Transformer>(blocks_).run_dense(context, workspace, x, grid, input.reading, places);
  if (attentional_pool_) {  // of each place alone, as if it were a picture of one token
    const Matrix pooled = proj_ ? workspace.take(out.rows, proj_->in()) : out;
    attentional_pool_->run(context, workspace, places, out.rows, 1, pooled);
    ln_post_.apply(context, pooled, pooled);
    if (proj_) linear(context, pooled, *proj_, out);
    return;
  }
  ln_post_.apply(context, places, places);
  if (latent_pool_) {  // of each place alone: its value, projection and MLP
    const Matrix pooled = proj_ ? workspace.take(out.rows, config_.width) : out;
    latent_pool_->run(context, workspace, places, pooled);
    if (proj_) linear(context, pooled, *proj_, out);
  } else if (proj_) {
    linear(context, places, *proj_, out);
  } else {
    for (int64_t i = 0; i < out.rows; ++i)
      std::memcpy(out.row(i), places.row(i), sizeof(float) * static_cast<size_t>(out.cols));
  }
}

}  // namespace openclip
