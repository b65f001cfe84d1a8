// Multi-head attention over many sequences of any lengths. Rank 1.
#pragma once

#include <cstddef>

#include "kernels/rows.h"

namespace openclip::kernels {

/// Rows of one sequence: queries [query_begin, + query_count), keys [key_begin, + key_count).
struct AttentionSpan {
  size_t query_begin = 0, query_count = 0, key_begin = 0, key_count = 0;
};

/// Head h uses columns [h * head_dim, (h + 1) * head_dim) of each row of q, k, v and out.
struct AttentionShape {
  size_t heads = 0, head_dim = 0;
  float scale = 1;      // of the scores, 1 / sqrt(head_dim) as a rule
  bool causal = false;  // query i of a span sees its first key_count - query_count + i + 1 keys
};

/// The matrices; only data and stride are read. `out` must not overlap the others.
struct AttentionRows {
  Rows<const float> q, k, v;
  Rows<float> out;
};

/// Floats of scratch that attention() needs for each thread, 64-byte aligned.
size_t attention_scratch_floats(size_t head_dim, size_t max_key_count);

/// out = softmax(q k^T * scale) v for each head of each span. Works on blocks of queries: at most
/// attention_scratch_floats() numbers are alive per thread. Every span needs key_count > 0, and
/// key_count >= query_count where causal.
/// Source: torch.nn.functional.scaled_dot_product_attention.
void attention(int threads, const AttentionShape& shape, const AttentionRows& rows,
               const AttentionSpan* spans, size_t span_count, float* scratch);

}  // namespace openclip::kernels
