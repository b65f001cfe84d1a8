// Multi-head attention. Rank 2.
#pragma once

#include <cstdint>
#include <span>

#include "base/context.h"
#include "kernels/attention.h"
#include "tensor/tensor.h"
#include "tensor/workspace.h"

namespace openclip {

using kernels::AttentionSpan;

struct AttentionOptions {
  int64_t heads = 1;    // must divide the width
  bool causal = false;  // the last query of a span sees all its keys, each earlier one a key less
  float scale = 0;      // of the scores; 0 = 1 / sqrt(head_dim)
};

/// out = softmax(q k^T * scale) v, for each head of each sequence.
/// Shapes: q, out [queries, width]; k, v [keys, width]. `spans` name the rows of each sequence;
/// rows of `out` that no span names are left as they are.
/// Throws: InvalidArgument if shapes differ, heads do not divide the width, or a span is empty or
/// leaves the matrices. Source: torch.nn.functional.scaled_dot_product_attention.
void attention(const Context& context, Workspace& workspace, ConstMatrix q, ConstMatrix k,
               ConstMatrix v, std::span<const AttentionSpan> spans, const AttentionOptions& options,
               Matrix out);

}  // namespace openclip
