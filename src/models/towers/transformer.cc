#include "models/towers/transformer.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/layer_norm.h"

namespace openclip {
namespace {

// ls(x W^T + b) = gamma * (x W^T + b): a factor for each output channel.
std::optional<ChannelAffine> layer_scale(const Context& context, const Weights& weights,
                                         const std::string& name, bool present) {
  if (!present) return std::nullopt;
  const Tensor gamma = weights.tensor(context, name + ".gamma");
  return ChannelAffine{{gamma.span().begin(), gamma.span().end()}, {}};
}

}  // namespace

UnaryOp unary_op(Activation activation) {
  switch (activation) {
    case Activation::gelu:
      return UnaryOp::gelu;
    case Activation::gelu_tanh:
      return UnaryOp::gelu_tanh;
    case Activation::quick_gelu:
      return UnaryOp::quick_gelu;
  }
  throw Internal("[transformer] unknown activation");
}

NormWeights NormWeights::load(const Context& context, const Weights& weights,
                              const std::string& name, float eps) {
  return {weights.tensor(context, name + ".weight"), weights.tensor(context, name + ".bias"), eps};
}

void NormWeights::apply(const Context& context, ConstMatrix x, Matrix out) const {
  layer_norm(context, x, weight.span(), bias.span(), eps, out);
}

Transformer::Transformer(const Context& context, const Weights& weights,
                         const TransformerConfig& config)
    : config_(config) {
  const int64_t width = config.width;
  for (int64_t i = 0; i < config.layers; ++i) {
    const BlockKeys& keys = config.keys;
    const std::string block = fmt::format("{}{}.", config.prefix, i);
    const auto ls_1 = layer_scale(context, weights, block + keys.ls_1, config.layer_scale);
    const auto ls_2 = layer_scale(context, weights, block + keys.ls_2, config.layer_scale);
    // The matrix holds the rows of q, k and v; q apart, since the last block needs it for few
    // tokens.
    Weights::LinearNames q{.weight = block + keys.qkv_weight, .bias = block + keys.qkv_bias};
    Weights::LinearNames kv = q;
    q.rows = {0, width};
    kv.rows = {width, 2 * width};
    blocks_.push_back(
        {NormWeights::load(context, weights, block + keys.ln_1, config.norm_eps),
         NormWeights::load(context, weights, block + keys.ln_2, config.norm_eps),
         weights.block_linear(context, q), weights.block_linear(context, kv),
         weights.block_linear(context, block + keys.out_proj, ls_1 ? &*ls_1 : nullptr),
         weights.block_linear(context, block + keys.c_fc),
         weights.block_linear(context, block + keys.c_proj, ls_2 ? &*ls_2 : nullptr)});
    if (config.pooled && i + 1 == config.layers)
      pooled_query_.emplace(context, weights,
                            SingleQueryAttention::Names{.keys = q.weight,
                                                        .values = q.weight,
                                                        .value_bias = q.bias,
                                                        .first_key = width,
                                                        .first_value = 2 * width,
                                                        .width = width,
                                                        .precision = weights.precision()},
                            config.heads);
  }
}

void Transformer::run(const Context& context, Workspace& workspace, Matrix x,
                      std::span<const AttentionSpan> spans, int64_t blocks) const {
  const size_t count = std::min(blocks_.size(), static_cast<size_t>(blocks));
  for (size_t i = 0; i < count; ++i) run_block(context, workspace, blocks_[i], x, spans);
}

void Transformer::project(const Context& context, Workspace& workspace, const Block& block,
                          ConstMatrix x, const Projected& to) const {
  const Workspace::Frame frame(workspace);
  const Matrix hidden = workspace.take(x.rows, config_.width);
  block.ln_1.apply(context, x, hidden);
  linear(context, hidden, {{block.q, to.q}, {block.kv, to.kv}});
}

void Transformer::project_tree(const Context& context, Workspace& workspace, ConstMatrix x,
                               const TokenTree& tree, const Projected& to) const {
  const auto count = static_cast<int64_t>(tree.first_rows.size());
  const Workspace::Frame frame(workspace);
  const Matrix kinds = workspace.take(count, config_.width);
  const Projected of_kinds{workspace.take(count, to.q.cols), workspace.take(count, to.kv.cols)};
  copy_rows(x, tree.first_rows, kinds);
  project(context, workspace, blocks_.front(), kinds, of_kinds);
  copy_rows(of_kinds.q, tree.kinds, to.q);
  copy_rows(of_kinds.kv, tree.kinds, to.kv);
}

template <class Spans>
void Transformer::attend(const Context& context, Workspace& workspace, const Block& block, Matrix x,
                         const Projected& rows, const Spans& spans) const {
  const int64_t width = config_.width;
  const Workspace::Frame frame(workspace);
  const Matrix attended = workspace.take(x.rows, width);
  attention(context, workspace, rows.q, rows.kv.columns(0, width), rows.kv.columns(width, width),
            spans, {config_.heads, config_.causal}, attended);
  finish_block(context, workspace, block, attended, x);
}

template <class Spans>
void Transformer::run_block(const Context& context, Workspace& workspace, const Block& block,
                            Matrix x, const Spans& spans) const {
  const Workspace::Frame frame(workspace);
  const Projected rows{workspace.take(x.rows, config_.width),
                       workspace.take(x.rows, 2 * config_.width)};
  project(context, workspace, block, x, rows);
  attend(context, workspace, block, x, rows, spans);
}

// x += out_proj(attended); x += mlp(ln_2(x)).
void Transformer::finish_block(const Context& context, Workspace& workspace, const Block& block,
                               ConstMatrix attended, Matrix x) const {
  const Workspace::Frame frame(workspace);
  const Matrix hidden = workspace.take(x.rows, config_.width);
  const Matrix wide = workspace.take(x.rows, config_.mlp_width);
  linear(context, attended, block.out_proj, x, {.residual = x});
  block.ln_2.apply(context, x, hidden);
  linear(context, hidden, block.c_fc, wide, {.op = unary_op(config_.activation)});
  linear(context, wide, block.c_proj, x, {.residual = x});
}

void Transformer::run_pooled(const Context& context, Workspace& workspace, Matrix x,
                             std::span<const AttentionSpan> spans, std::span<const int64_t> pooled,
                             Matrix out) const {
  check_arg(pooled.size() == spans.size() && out.rows == static_cast<int64_t>(spans.size()),
            "[transformer] one pooled row for each of {} sequences, got {} and out {}",
            spans.size(), pooled.size(), out.shape_str());
  std::vector<AttentionSpan> pooled_spans(spans.begin(), spans.end());
  for (size_t i = 0; i < spans.size(); ++i) {
    pooled_spans[i].query_begin = i;
    pooled_spans[i].query_count = 1;
  }
  run_pooled(context, workspace, x, spans, pooled, pooled_spans, out);
}

void Transformer::run_pooled(const Context& context, Workspace& workspace, Matrix x,
                             std::span<const AttentionSpan> spans, std::span<const int64_t> pooled,
                             std::span<const AttentionSpan> pooled_spans, Matrix out) const {
  for (size_t i = 0; i + 1 < blocks_.size(); ++i)
    run_block(context, workspace, blocks_[i], x, spans);
  run_last_block(context, workspace, x, pooled_spans, pooled, out);
}

void Transformer::run_tree(const Context& context, Workspace& workspace, Matrix x,
                           const TokenTree& tree, Matrix out) const {
  check_arg(config_.causal && out.rows == static_cast<int64_t>(tree.last_rows.size()),
            "[transformer] a tree of {} texts needs causal blocks and as many rows, got {}",
            tree.last_rows.size(), out.shape_str());
  for (size_t i = 0; i + 1 < blocks_.size(); ++i) {
    const Workspace::Frame frame(workspace);
    const Projected rows{workspace.take(x.rows, config_.width),
                         workspace.take(x.rows, 2 * config_.width)};
    if (i == 0)
      project_tree(context, workspace, x, tree, rows);
    else
      project(context, workspace, blocks_[i], x, rows);
    attend(context, workspace, blocks_[i], x, rows, tree.attention);
  }
  run_last_block(context, workspace, x, tree.last_attention, tree.last_rows, out);
}

template <class Spans>
void Transformer::run_last_block(const Context& context, Workspace& workspace, ConstMatrix x,
                                 const Spans& spans, std::span<const int64_t> pooled,
                                 Matrix out) const {
  check_arg(pooled_query_.has_value(), "[transformer] '{}' was not loaded to be pooled",
            config_.prefix);
  const int64_t width = config_.width;
  const Block& last = blocks_.back();
  const Workspace::Frame frame(workspace);
  const Matrix hidden = workspace.take(x.rows, width);
  const Matrix pooled_hidden = workspace.take(out.rows, width);
  const Matrix q = workspace.take(out.rows, width);
  const Matrix queries = workspace.take(out.rows * config_.heads, width);
  last.ln_1.apply(context, x, hidden);
  copy_rows(x, pooled, out);
  copy_rows(hidden, pooled, pooled_hidden);
  linear(context, pooled_hidden, last.q, q);
  pooled_query_->project(context, q, queries);
  pooled_query_->attend(context, workspace, queries, hidden, spans, pooled_hidden);
  finish_block(context, workspace, last, pooled_hidden, out);
}

}  // namespace openclip
