// Causal attention of queries whose keys lie in several pieces: the tokens of a prefix tree, where
// a branch sees its own tokens and those of all branches that it hangs on. Rank 1.
#pragma once

#include <cstddef>

#include "kernels/attention.h"

namespace openclip::kernels {

/// Rows [begin, begin + count) of the keys and values.
struct KeySegment {
  size_t begin = 0, count = 0;
};

/// Queries [query_begin, + query_count). Their keys are the rows of the segments
/// [segment_begin, + segment_count) one after the other, `key_count` in all: the last query sees
/// all of them, each earlier one a key less.
struct SegmentSpan {
  size_t query_begin = 0, query_count = 0;
  size_t segment_begin = 0, segment_count = 0;
  size_t key_count = 0;  // sum of the segments' counts, at least query_count
};

/// Spans and the segments that they name.
struct SegmentSpans {
  const SegmentSpan* spans = nullptr;
  size_t span_count = 0;
  const KeySegment* segments = nullptr;
};

/// out = softmax(q k^T * scale) v for each head of each span; shape.causal is not read. A query's
/// result depends on its keys alone, to the last bit: not on how they are cut into segments, nor
/// on the other queries of its span. scratch: for each thread as many floats as the largest
/// key_count, rounded up to 16.
void segment_attention(int threads, const AttentionShape& shape, const AttentionRows& rows,
                       const SegmentSpans& spans, float* scratch);

}  // namespace openclip::kernels
