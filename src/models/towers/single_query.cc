#include "models/towers/single_query.h"

#include <cmath>

#include "base/parallel.h"
#include "tensor/attention.h"

namespace openclip {
namespace {

// V_h and its bias: `count` rows of the values from `begin` on. Floats stay in the checkpoint until
// their second use.
Linear head_values(const Context& context, const Weights& weights,
                   const SingleQueryAttention::Names& names, int64_t begin, int64_t count) {
  const std::pair<int64_t, int64_t> range(names.first_value + begin, count);
  if (names.precision != Precision::int8)
    return weights.linear(
        context,
        Weights::LinearNames{.weight = names.values, .bias = names.value_bias, .rows = range});
  const Tensor rows = weights.rows(context, names.values, range, names.precision);
  const Tensor bias = weights.tensor(context, names.value_bias);
  return {context,
          rows.span(),
          bias.span().subspan(static_cast<size_t>(range.first), static_cast<size_t>(count)),
          {rows.shape()[1], count}};
}

// The spans of all heads, each of which is a query of its own with one head.
std::vector<AttentionSpan> of_heads(std::span<const AttentionSpan> spans, size_t heads) {
  std::vector<AttentionSpan> all(spans.begin(), spans.end());
  for (AttentionSpan& span : all) {
    span.query_begin *= heads;
    span.query_count = heads;
  }
  return all;
}

// Queries of one span see different keys, so each is a span.
SegmentSpans of_heads(const SegmentSpans& spans, size_t heads) {
  SegmentSpans all{{}, spans.segments};
  for (const SegmentSpan& span : spans.spans)
    for (size_t h = 0; h < heads; ++h) {
      all.spans.push_back(span);
      all.spans.back().query_begin = span.query_begin * heads + h;
    }
  return all;
}

// fn(h) for each head, side by side: products of few rows, too small to be cut.
template <class Fn>
void for_heads(const Context& context, int64_t heads, const Fn& fn) {
  parallel_for(context.threads(), static_cast<size_t>(heads), 1,
               [&](size_t begin, size_t end, int) {
                 for (size_t h = begin; h < end; ++h) fn(static_cast<int64_t>(h));
               });
}

}  // namespace

SingleQueryAttention::SingleQueryAttention(const Context& context, const Weights& weights,
                                           const Names& names, int64_t heads)
    : head_dim_(names.width / heads) {
  const Tensor keys =
      weights.rows(context, names.keys, {names.first_key, names.width}, names.precision);
  const int64_t in = keys.shape()[1];
  for (int64_t h = 0; h < heads; ++h) {
    // The rows of a head, [head_dim, in], read as [in, out].
    const auto floats = static_cast<size_t>(head_dim_ * in);
    key_queries_.emplace_back(context, keys.span().subspan(static_cast<size_t>(h) * floats, floats),
                              std::span<const float>(),
                              Linear::Shape{head_dim_, in, Linear::Layout::in_out});
    values_.push_back(head_values(context, weights, names, h * head_dim_, head_dim_));
  }
}

void SingleQueryAttention::project(const Context& context, ConstMatrix q, Matrix queries) const {
  for_heads(context, heads(), [&](int64_t h) {
    linear(Context(1), q.columns(h * head_dim_, head_dim_), key_queries_[static_cast<size_t>(h)],
           queries.row_range(h, queries.rows - h).every(heads(), q.rows));
  });
}

template <class Spans>
void SingleQueryAttention::attend(const Context& context, Workspace& workspace, ConstMatrix queries,
                                  ConstMatrix x, const Spans& spans, Matrix out) const {
  const Workspace::Frame frame(workspace);
  const Matrix mixed = workspace.take(queries.rows, queries.cols);  // sum_j p_j x_j
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim_));
  attention(context, workspace, queries, x, x, of_heads(spans, static_cast<size_t>(heads())),
            {.heads = 1, .scale = scale}, mixed);
  for_heads(context, heads(), [&](int64_t h) {
    linear(Context(1), mixed.row_range(h, mixed.rows - h).every(heads(), out.rows),
           values_[static_cast<size_t>(h)], out.columns(h * head_dim_, head_dim_));
  });
}

void SingleQueryAttention::values(const Context& context, ConstMatrix x, Matrix out) const {
  for (int64_t h = 0; h < heads(); ++h)
    linear(context, x, values_[static_cast<size_t>(h)], out.columns(h * head_dim_, head_dim_));
}

template void SingleQueryAttention::attend(const Context&, Workspace&, ConstMatrix, ConstMatrix,
                                           const std::span<const AttentionSpan>&, Matrix) const;
template void SingleQueryAttention::attend(const Context&, Workspace&, ConstMatrix, ConstMatrix,
                                           const SegmentSpans&, Matrix) const;

}  // namespace openclip
