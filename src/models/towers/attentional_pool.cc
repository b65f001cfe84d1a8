#include "models/towers/attentional_pool.h"

#include <cstring>

#include "tensor/attention.h"

namespace openclip {
namespace {

const std::string kPoolName = "visual.attn_pool.";

// One of q, k and v, number `part`: rows of one matrix, or a matrix of its own where keys are not
// as wide as queries. The biases are one vector in both cases.
Linear load_projection(const Context& context, const Weights& weights, int part, int64_t out) {
  constexpr const char* kLetters = "qkv";
  const Tensor bias = weights.tensor(context, kPoolName + "attn.in_proj_bias");
  const auto rows = static_cast<size_t>(out);
  const std::span<const float> own_bias =
      bias.span().subspan(rows * static_cast<size_t>(part), rows);
  if (weights.has(kPoolName + "attn.in_proj_weight")) {
    const Tensor all = weights.tensor(context, kPoolName + "attn.in_proj_weight");
    return Linear(context, all.span().subspan(static_cast<size_t>(part * out * out), rows * rows),
                  own_bias, {out, out});
  }
  const Tensor weight =
      weights.tensor(context, fmt::format("{}attn.{}_proj_weight", kPoolName, kLetters[part]));
  return Linear(context, weight.span(), own_bias, {weight.shape()[1], out});
}

Tensor project_queries(const Context& context, const Weights& weights, float eps) {
  Tensor query = weights.tensor(context, kPoolName + "query");
  const int64_t rows = query.shape()[0], width = query.shape()[1];
  const Matrix normed(query.data(), rows, width);
  NormWeights::load(context, weights, kPoolName + "ln_q", eps).apply(context, normed, normed);
  Tensor out{Shape{rows, width}};
  linear(context, normed, load_projection(context, weights, 0, width), {out.data(), rows, width});
  return out;
}

}  // namespace

AttentionalPool::AttentionalPool(const Context& context, const Weights& weights,
                                 const VisionConfig& config)
    : heads_(config.attn_pool_heads),
      queries_(project_queries(context, weights, config.norm_eps)),
      ln_k_(NormWeights::load(context, weights, kPoolName + "ln_k", config.norm_eps)),
      k_(load_projection(context, weights, 1, queries_.shape()[1])),
      v_(load_projection(context, weights, 2, queries_.shape()[1])),
      out_proj_(weights.linear(context, kPoolName + "attn.out_proj")) {}

void AttentionalPool::run(const Context& context, Workspace& workspace, ConstMatrix x,
                          int64_t count, int64_t queries, Matrix out) const {
  if (count == 0) return;
  const int64_t width = queries_.shape()[1], tokens = x.rows / count;
  const Workspace::Frame frame(workspace);
  const Matrix normed = workspace.take(x.rows, x.cols);
  const Matrix k = workspace.take(x.rows, width), v = workspace.take(x.rows, width);
  const Matrix q = workspace.take(count * queries, width);
  const Matrix attended = workspace.take(count * queries, width);
  ln_k_.apply(context, x, normed);
  linear(context, normed, {{k_, k}, {v_, v}});
  std::vector<AttentionSpan> spans;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(q.row(i * queries), queries_.data(),
                sizeof(float) * static_cast<size_t>(queries * width));
    spans.push_back({static_cast<size_t>(i * queries), static_cast<size_t>(queries),
                     static_cast<size_t>(i * tokens), static_cast<size_t>(tokens)});
  }
  attention(context, workspace, q, k, v, spans, {.heads = heads_}, attended);
  linear(context, attended, out_proj_, out);
}

}  // namespace openclip
