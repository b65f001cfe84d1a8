#include <cstring>
#include <vector>

#include "kernels/ref/ref.h"

namespace openclip::kernels::ref {
namespace {

// The rows of the segments, one after the other.
std::vector<float> gather(const Rows<const float>& from, size_t width, const SegmentSpan& span,
                          const KeySegment* segments) {
  std::vector<float> rows;
  for (size_t s = span.segment_begin; s < span.segment_begin + span.segment_count; ++s)
    for (size_t i = 0; i < segments[s].count; ++i) {
      const float* row = from.row(segments[s].begin + i);
      rows.insert(rows.end(), row, row + width);
    }
  return rows;
}

}  // namespace

void segment_attention(const AttentionShape& shape, const AttentionRows& rows,
                       const SegmentSpans& spans) {
  const size_t width = shape.heads * shape.head_dim;
  AttentionShape causal = shape;
  causal.causal = true;
  for (size_t i = 0; i < spans.span_count; ++i) {
    const SegmentSpan& span = spans.spans[i];
    const std::vector<float> k = gather(rows.k, width, span, spans.segments);
    const std::vector<float> v = gather(rows.v, width, span, spans.segments);
    const AttentionSpan whole{span.query_begin, span.query_count, 0, span.key_count};
    attention(causal,
              {rows.q,
               {k.data(), span.key_count, width, width},
               {v.data(), span.key_count, width, width},
               rows.out},
              &whole, 1);
  }
}

}  // namespace openclip::kernels::ref
