// Causal multi-head attention over keys in pieces. Rank 2.
#pragma once

#include <vector>

#include "kernels/segment_attention.h"
#include "tensor/attention.h"

namespace openclip {

using kernels::KeySegment;
using kernels::SegmentSpan;

/// Which rows attend to which: spans of queries, and the segments of keys that they name.
struct SegmentSpans {
  std::vector<SegmentSpan> spans;
  std::vector<KeySegment> segments;
};

/// out = softmax(q k^T * scale) v for each head of each span, causal within a span's own keys (see
/// kernels/segment_attention.h); options.causal is not read. Shapes as in attention(). A row's
/// result depends on its own keys alone, to the last bit.
/// Throws: InvalidArgument if shapes differ, heads do not divide the width, a span or segment
/// leaves the matrices, or a span has no query, fewer keys than queries or a wrong key_count.
void attention(const Context& context, Workspace& workspace, ConstMatrix q, ConstMatrix k,
               ConstMatrix v, const SegmentSpans& spans, const AttentionOptions& options,
               Matrix out);

}  // namespace openclip
