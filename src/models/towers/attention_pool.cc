#include "models/towers/attention_pool.h"

#include <cmath>

#include "base/parallel.h"
#include "tensor/attention.h"

namespace openclip {

AttentionPool::AttentionPool(const Context& context, const Weights& weights,
                             const std::string& name, int64_t heads)
    : heads_(heads),
      positions_(weights.tensor(context, name + ".positional_embedding")),
      q_(weights.linear(context, name + ".q_proj")),
      c_(weights.linear(context, name + ".c_proj")) {
  const int64_t channels = q_.out();
  head_dim_ = channels / heads;
  const Tensor keys = weights.tensor(context, name + ".k_proj.weight");  // [out, in]
  for (int64_t h = 0; h < heads; ++h) {
    // The rows of a head in k_proj.weight, [head_dim, channels], read as [in, out].
    const size_t floats = static_cast<size_t>(head_dim_ * channels);
    key_queries_.emplace_back(context, keys.span().subspan(static_cast<size_t>(h) * floats, floats),
                              std::span<const float>(),
                              Linear::Shape{head_dim_, channels, Linear::Layout::in_out});
    values_.push_back(
        weights.linear(context, Weights::LinearNames{.weight = name + ".v_proj.weight",
                                                     .bias = name + ".v_proj.bias",
                                                     .rows = std::pair(h * head_dim_, head_dim_)}));
  }
}

void AttentionPool::embed(const Context& context, ConstMatrix x, Matrix tokens) const {
  const ConstMatrix positions = positions_.matrix();
  const int64_t each = positions.rows, pixels = each - 1;
  parallel_for(context.threads(), static_cast<size_t>(tokens.rows / each), 1,
               [&](size_t begin, size_t end, int) {
                 for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
                   const ConstMatrix from = x.row_range(i * pixels, pixels);
                   const Matrix first = tokens.row_range(i * each, 1);
                   kernels::mean_of_rows(from, first.data);
                   kernels::add_rows(ConstMatrix(first), positions, first);
                   kernels::add_rows(from, positions.row_range(1, pixels),
                                     tokens.row_range(i * each + 1, pixels));
                 }
               });
}

void AttentionPool::run(const Context& context, Workspace& workspace, ConstMatrix x,
                        Matrix out) const {
  const int64_t count = out.rows, each = positions_.shape()[0], channels = q_.out();
  const Workspace::Frame frame(workspace);
  const Matrix tokens = workspace.take(count * each, channels);
  const Matrix q = workspace.take(count, channels);
  const Matrix queries = workspace.take(count * heads_, channels);  // (image, head)
  const Matrix mixed = workspace.take(count * heads_, channels);    // sum_j p_j x_j
  embed(context, x, tokens);
  linear(context, tokens.every(each, count), q_, q);
  for (int64_t h = 0; h < heads_; ++h)
    linear(context, q.columns(h * head_dim_, head_dim_), key_queries_[static_cast<size_t>(h)],
           queries.row_range(h, 1).every(heads_, count));
  std::vector<AttentionSpan> spans;
  const auto heads = static_cast<size_t>(heads_), keys = static_cast<size_t>(each);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i)
    spans.push_back({i * heads, heads, i * keys, keys});
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim_));
  attention(context, workspace, queries, tokens, tokens, spans, {.heads = 1, .scale = scale},
            mixed);
  for (int64_t h = 0; h < heads_; ++h)
    linear(context, mixed.row_range(h, 1).every(heads_, count), values_[static_cast<size_t>(h)],
           q.columns(h * head_dim_, head_dim_));
  linear(context, q, c_, out);
}

}  // namespace openclip
