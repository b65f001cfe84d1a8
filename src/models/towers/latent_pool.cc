#include "models/towers/latent_pool.h"

#include <cmath>
#include <cstring>

#include "tensor/attention.h"

namespace openclip {
namespace {

// K_h^T q_h of each head h, as [heads, width]; the bias of the keys adds the same number to all
// scores of a head and so nothing to their softmax.
Tensor project_queries(const Context& context, const Weights& weights, const std::string& name,
                       int64_t heads) {
  const Tensor latent = weights.tensor(context, name + ".latent");
  const Tensor kv = weights.tensor(context, name + ".kv.weight");  // [2 width, width], keys first
  const int64_t width = latent.elements(), head_dim = width / heads;
  Tensor q{Shape{1, width}}, queries{Shape{heads, width}};
  linear(context, latent.matrix().row_range(0, 1), weights.linear(context, name + ".q"),
         {q.data(), 1, width});
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t c = 0; c < width; ++c) {
      double sum = 0;
      for (int64_t i = h * head_dim; i < (h + 1) * head_dim; ++i)
        sum += static_cast<double>(q.data()[i]) * kv.data()[i * width + c];
      queries.data()[h * width + c] = static_cast<float>(sum);
    }
  return queries;
}

}  // namespace

LatentPool::LatentPool(const Context& context, const Weights& weights, const std::string& name,
                       const LatentPoolConfig& config)
    : config_(config),
      queries_(project_queries(context, weights, name, config.heads)),
      proj_(weights.linear(context, name + ".proj")),
      fc1_(weights.linear(context, name + ".mlp.fc1")),
      fc2_(weights.linear(context, name + ".mlp.fc2")),
      norm_(NormWeights::load(context, weights, name + ".norm", config.norm_eps)) {
  const int64_t width = proj_.in();
  head_dim_ = width / config.heads;
  for (int64_t h = 0; h < config.heads; ++h)
    values_.push_back(weights.linear(
        context, Weights::LinearNames{.weight = name + ".kv.weight",
                                      .bias = name + ".kv.bias",
                                      .rows = std::pair(width + h * head_dim_, head_dim_)}));
}

void LatentPool::run(const Context& context, Workspace& workspace, ConstMatrix x,
                     Matrix out) const {
  const int64_t count = out.rows, width = out.cols, heads = config_.heads;
  if (count == 0) return;
  const int64_t tokens = x.rows / count;
  const Workspace::Frame frame(workspace);
  const Matrix queries = workspace.take(count * heads, width);  // (image, head)
  const Matrix mixed = workspace.take(count * heads, width);    // sum_j p_j x_j
  const Matrix hidden = workspace.take(count, width);
  const Matrix wide = workspace.take(count, fc1_.out());
  std::vector<AttentionSpan> spans;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(queries.row(i * heads), queries_.data(),
                sizeof(float) * static_cast<size_t>(heads * width));
    spans.push_back({static_cast<size_t>(i * heads), static_cast<size_t>(heads),
                     static_cast<size_t>(i * tokens), static_cast<size_t>(tokens)});
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim_));
  attention(context, workspace, queries, x, x, spans, {.heads = 1, .scale = scale}, mixed);
  for (int64_t h = 0; h < heads; ++h)
    linear(context, mixed.row_range(h, 1).every(heads, count), values_[static_cast<size_t>(h)],
           hidden.columns(h * head_dim_, head_dim_));
  linear(context, hidden, proj_, out);
  norm_.apply(context, out, hidden);
  linear(context, hidden, fc1_, wide, {.op = unary_op(config_.activation)});
  linear(context, wide, fc2_, out, {.residual = out});
}

}  // namespace openclip
