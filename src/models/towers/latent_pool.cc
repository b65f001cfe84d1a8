#include "models/towers/latent_pool.h"

#include <cstring>

namespace openclip {
namespace {

// K_h^T q_h of each head h, as [heads, width].
Tensor project_queries(const Context& context, const Weights& weights, const std::string& name,
                       const SingleQueryAttention& attention) {
  const Tensor latent = weights.tensor(context, name + ".latent");
  const int64_t width = latent.elements();
  Tensor q{Shape{1, width}}, queries{Shape{attention.heads(), width}};
  const Matrix row(q.data(), 1, width);
  linear(context, ConstMatrix(latent.data(), 1, width), weights.linear(context, name + ".q"), row);
  attention.project(context, row, Matrix(queries.data(), attention.heads(), width));
  return queries;
}

}  // namespace

LatentPool::LatentPool(const Context& context, const Weights& weights, const std::string& name,
                       const LatentPoolConfig& config)
    : config_(config),
      proj_(weights.linear(context, name + ".proj")),
      fc1_(weights.linear(context, name + ".mlp.fc1")),
      fc2_(weights.linear(context, name + ".mlp.fc2")),
      norm_(NormWeights::load(context, weights, name + ".norm", config.norm_eps)),
      latent_query_(context, weights,
                    {.keys = name + ".kv.weight",
                     .values = name + ".kv.weight",
                     .value_bias = name + ".kv.bias",
                     .first_value = proj_.in(),
                     .width = proj_.in()},
                    config.heads),
      queries_(project_queries(context, weights, name, latent_query_)) {}

void LatentPool::run(const Context& context, Workspace& workspace, ConstMatrix x,
                     Matrix out) const {
  const int64_t count = out.rows, width = out.cols, heads = config_.heads;
  if (count == 0) return;
  const int64_t tokens = x.rows / count;
  const Workspace::Frame frame(workspace);
  const Matrix queries = workspace.take(count * heads, width);  // (image, head)
  const Matrix hidden = workspace.take(count, width);
  const Matrix wide = workspace.take(count, fc1_.out());
  std::vector<AttentionSpan> spans;
  const auto keys = static_cast<size_t>(tokens);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    std::memcpy(queries.row(static_cast<int64_t>(i) * heads), queries_.data(),
                sizeof(float) * static_cast<size_t>(heads * width));
    spans.push_back({i, 1, i * keys, keys});
  }
  latent_query_.attend(context, workspace, queries, x, std::span<const AttentionSpan>(spans),
                       hidden);
  linear(context, hidden, proj_, out);
  norm_.apply(context, out, hidden);
  linear(context, hidden, fc1_, wide, {.op = unary_op(config_.activation)});
  linear(context, wide, fc2_, out, {.residual = out});
}

}  // namespace openclip
