#include "models/towers/eva_blocks.h"

#include <algorithm>

#include "tensor/split.h"

namespace openclip {
namespace {

// The kernels have x sigmoid(1.702 x). With the gate's weights divided by this factor and the other
// half multiplied by it, that is SiLU.
constexpr float kQuickGelu = 1.702f;

ChannelAffine scaled(int64_t channels, float factor) {
  return {std::vector<float>(static_cast<size_t>(channels), factor), {}};
}

// x *= y.
void multiply(const Context& context, ConstMatrix y, Matrix x) {
  for_rows(context, x.rows, x.cols, [&](int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row) {
      float* const to = x.row(row);
      const float* const from = y.row(row);
      for (int64_t i = 0; i < x.cols; ++i) to[i] *= from[i];
    }
  });
}

}  // namespace

EvaBlocks::EvaBlocks(const Context& context, const Weights& weights, const std::string& prefix,
                     const VisionConfig& config)
    : config_(config) {
  if (config.eva->rope)
    rope_.emplace(*config.eva->rope, config.grid(), config.width / config.heads);
  for (int i = 0; i < config.layers; ++i)
    blocks_.push_back(load(context, weights, fmt::format("{}{}.", prefix, i)));
}

EvaBlocks::Block EvaBlocks::load(const Context& context, const Weights& weights,
                                 const std::string& name) const {
  using Names = Weights::LinearNames;
  const EvaConfig& eva = *config_.eva;
  const int64_t width = config_.width;
  const auto norm = [&](const char* part) {
    return NormWeights::load(context, weights, name + part, config_.norm_eps);
  };
  const auto layer = [&](const char* part) { return weights.block_linear(context, name + part); };
  Block block{.norm_1 = norm("norm1"), .norm_2 = norm("norm2")};
  block.proj = layer("attn.proj");
  block.fc2 = layer("mlp.fc2");
  if (eva.qkv == EvaQkv::separate) {
    block.q = layer("attn.q_proj");
    block.k =
        weights.block_linear(context, Names{.weight = name + "attn.k_proj.weight", .bias = ""});
    block.v = layer("attn.v_proj");
  } else {
    const std::string weight = name + "attn.qkv.weight";
    const bool joint = eva.qkv == EvaQkv::joint;
    const std::string bias = joint ? name + "attn.qkv.bias" : "";
    // The bias of the values has rows of its own, which only an affine step can add to rows 2 width
    // and on.
    ChannelAffine shift = scaled(width, 1);
    if (!joint) {
      const Tensor v_bias = weights.tensor(context, name + "attn.v_bias");
      shift.shift.assign(v_bias.span().begin(), v_bias.span().end());
    }
    block.q = weights.block_linear(context, Names{.weight = weight,
                                                  .bias = joint ? bias : name + "attn.q_bias",
                                                  .rows = std::pair(int64_t{0}, width)});
    block.k = weights.block_linear(
        context, Names{.weight = weight, .bias = bias, .rows = std::pair(width, width)});
    block.v = weights.block_linear(context, Names{.weight = weight,
                                                  .bias = bias,
                                                  .rows = std::pair(2 * width, width),
                                                  .affine = joint ? nullptr : &shift});
  }
  if (!eva.swiglu) {
    block.fc1 = layer("mlp.fc1");
    return block;
  }
  block.attention_norm = norm("attn.norm");
  block.mlp_norm = norm("mlp.norm");
  const ChannelAffine down = scaled(config_.mlp_width, 1 / kQuickGelu);
  const ChannelAffine up = scaled(config_.mlp_width, kQuickGelu);
  block.gate = weights.block_linear(context, name + "mlp.fc1_g", &down);
  block.fc1 = weights.block_linear(context, name + "mlp.fc1_x", &up);
  return block;
}

void EvaBlocks::add_branch(const Context& context, Workspace& workspace, const Linear& layer,
                           const NormWeights& norm, ConstMatrix y, Matrix x) const {
  if (!config_.eva->post_norm) return linear(context, y, layer, x, {.residual = x});
  const Workspace::Frame frame(workspace);
  const Matrix branch = workspace.take(x.rows, x.cols);
  linear(context, y, layer, branch);
  norm.apply(context, branch, branch);
  for_rows(context, x.rows, x.cols, [&](int64_t begin, int64_t count) {
    kernels::add_rows(ConstMatrix(x.row_range(begin, count)),
                      ConstMatrix(branch.row_range(begin, count)), x.row_range(begin, count));
  });
}

void EvaBlocks::attend(const Context& context, Workspace& workspace, const Block& block,
                       std::span<const AttentionSpan> spans, ConstMatrix normed, Matrix x) const {
  const Workspace::Frame frame(workspace);
  const Matrix q = workspace.take(x.rows, x.cols), k = workspace.take(x.rows, x.cols);
  const Matrix v = workspace.take(x.rows, x.cols), attended = workspace.take(x.rows, x.cols);
  linear(context, normed, {{block.q, q}, {block.k, k}, {block.v, v}});
  if (rope_) {
    const int64_t prefix = config_.class_token ? 1 : 0;
    rope_->apply(context, config_.tokens(), prefix, q);
    rope_->apply(context, config_.tokens(), prefix, k);
  }
  attention(context, workspace, q, k, v, spans, {.heads = config_.heads}, attended);
  if (block.attention_norm) block.attention_norm->apply(context, attended, attended);
  add_branch(context, workspace, block.proj, block.norm_1, attended, x);
}

void EvaBlocks::feed_forward(const Context& context, Workspace& workspace, const Block& block,
                             ConstMatrix normed, Matrix x) const {
  const Workspace::Frame frame(workspace);
  const Matrix wide = workspace.take(x.rows, config_.mlp_width);
  if (config_.eva->swiglu) {
    const Matrix gate = workspace.take(x.rows, config_.mlp_width);
    linear(context, normed, {{block.gate, gate, UnaryOp::quick_gelu}, {block.fc1, wide}});
    multiply(context, gate, wide);
    block.mlp_norm->apply(context, wide, wide);
  } else {
    linear(context, normed, block.fc1, wide, {.op = unary_op(config_.activation)});
  }
  add_branch(context, workspace, block.fc2, block.norm_2, wide, x);
}

void EvaBlocks::run_block(const Context& context, Workspace& workspace, const Block& block,
                          Matrix x, std::span<const AttentionSpan> spans) const {
  if (config_.eva->post_norm) {
    attend(context, workspace, block, spans, x, x);
    return feed_forward(context, workspace, block, x, x);
  }
  const Workspace::Frame frame(workspace);
  const Matrix hidden = workspace.take(x.rows, x.cols);
  block.norm_1.apply(context, x, hidden);
  attend(context, workspace, block, spans, hidden, x);
  block.norm_2.apply(context, x, hidden);
  feed_forward(context, workspace, block, hidden, x);
}

void EvaBlocks::run(const Context& context, Workspace& workspace, Matrix x,
                    std::span<const AttentionSpan> spans, int64_t count) const {
  count = std::min(count, static_cast<int64_t>(blocks_.size()));
  for (int64_t i = 0; i < count; ++i)
    run_block(context, workspace, blocks_[static_cast<size_t>(i)], x, spans);
}

void EvaBlocks::run_pooled(const Context& context, Workspace& workspace, Matrix x,
                           std::span<const AttentionSpan> spans, std::span<const int64_t> pooled,
                           Matrix out) const {
  run(context, workspace, x, spans);
  copy_rows(x, pooled, out);
}

}  // namespace openclip
