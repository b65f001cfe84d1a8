#include "tensor/attention.h"

#include <algorithm>
#include <cmath>

#include "tensor/attention_checks.h"

namespace openclip {
namespace {

void check_span(const AttentionSpan& span, int64_t queries, int64_t keys, bool causal) {
  const auto inside = [](size_t begin, size_t count, int64_t rows) {
    return count <= static_cast<size_t>(rows) && begin <= static_cast<size_t>(rows) - count;
  };
  check_arg(span.key_count > 0 && inside(span.key_begin, span.key_count, keys),
            "[attention] keys of a span must be some of {} rows, got {} from {}", keys,
            span.key_count, span.key_begin);
  check_arg(inside(span.query_begin, span.query_count, queries),
            "[attention] queries of a span must be some of {} rows, got {} from {}", queries,
            span.query_count, span.query_begin);
  check_arg(!causal || span.query_count <= span.key_count,
            "[attention] a causal span must have at most {} queries (its keys), got {}",
            span.key_count, span.query_count);
}

}  // namespace

void attention(const Context& context, Workspace& workspace, ConstMatrix q, ConstMatrix k,
               ConstMatrix v, std::span<const AttentionSpan> spans, const AttentionOptions& options,
               Matrix out) {
  check_attention_shapes(q, k, v, out, options);
  size_t longest = 0;
  for (const AttentionSpan& span : spans) {
    check_span(span, q.rows, k.rows, options.causal);
    longest = std::max(longest, span.key_count);
  }
  if (spans.empty() || q.cols == 0) return;
  const auto head_dim = static_cast<size_t>(q.cols / options.heads);
  const float scale =
      options.scale > 0 ? options.scale : 1.0f / std::sqrt(static_cast<float>(head_dim));
  const kernels::AttentionShape shape{static_cast<size_t>(options.heads), head_dim, scale,
                                      options.causal};
  const Workspace::Frame frame(workspace);
  const auto per_thread =
      static_cast<int64_t>(kernels::attention_scratch_floats(head_dim, longest));
  float* scratch = workspace.take_floats(per_thread * context.threads());
  kernels::attention(context.threads(), shape, {q, k, v, out}, spans.data(), spans.size(), scratch);
}

}  // namespace openclip
