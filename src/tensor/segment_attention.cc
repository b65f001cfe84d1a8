#include "tensor/segment_attention.h"

#include <algorithm>
#include <cmath>

#include "tensor/attention_checks.h"

namespace openclip {
namespace {

bool inside(size_t begin, size_t count, size_t rows) {
  return count <= rows && begin <= rows - count;
}

void check_span(const SegmentSpan& span, const SegmentSpans& all, size_t queries, size_t keys) {
  check_arg(span.query_count > 0 && inside(span.query_begin, span.query_count, queries),
            "[attention] queries of a span must be some of {} rows, got {} from {}", queries,
            span.query_count, span.query_begin);
  check_arg(inside(span.segment_begin, span.segment_count, all.segments.size()),
            "[attention] segments of a span must be some of {}, got {} from {}",
            all.segments.size(), span.segment_count, span.segment_begin);
  size_t count = 0;
  for (size_t i = span.segment_begin; i < span.segment_begin + span.segment_count; ++i) {
    const KeySegment& segment = all.segments[i];
    check_arg(inside(segment.begin, segment.count, keys),
              "[attention] keys of a segment must be some of {} rows, got {} from {}", keys,
              segment.count, segment.begin);
    count += segment.count;
  }
  check_arg(count == span.key_count && count >= span.query_count,
            "[attention] a span of {} queries and {} keys names segments of {} keys",
            span.query_count, span.key_count, count);
}

}  // namespace

void attention(const Context& context, Workspace& workspace, ConstMatrix q, ConstMatrix k,
               ConstMatrix v, const SegmentSpans& spans, const AttentionOptions& options,
               Matrix out) {
  check_attention_shapes(q, k, v, out, options);
  size_t longest = 0;
  for (const SegmentSpan& span : spans.spans) {
    check_span(span, spans, static_cast<size_t>(q.rows), static_cast<size_t>(k.rows));
    longest = std::max(longest, span.key_count);
  }
  if (spans.spans.empty() || q.cols == 0) return;
  const auto head_dim = static_cast<size_t>(q.cols / options.heads);
  const float scale =
      options.scale > 0 ? options.scale : 1.0f / std::sqrt(static_cast<float>(head_dim));
  const Workspace::Frame frame(workspace);
  const auto per_thread = static_cast<int64_t>((longest + 15) / 16 * 16);
  float* scratch = workspace.take_floats(per_thread * context.threads());
  kernels::segment_attention(
      context.threads(), {static_cast<size_t>(options.heads), head_dim, scale, true},
      {q, k, v, out}, {spans.spans.data(), spans.spans.size(), spans.segments.data()}, scratch);
}

}  // namespace openclip
