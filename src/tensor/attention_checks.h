// What every form of attention asks of its matrices. Rank 2.
#pragma once

#include "base/error.h"
#include "tensor/attention.h"

namespace openclip {

/// Throws: InvalidArgument unless q, out [queries, width], k, v [keys, width] and heads divide it.
inline void check_attention_shapes(ConstMatrix q, ConstMatrix k, ConstMatrix v, Matrix out,
                                   const AttentionOptions& options) {
  check_arg(options.heads > 0 && q.cols % options.heads == 0,
            "[attention] heads must divide the width {}, got {}", q.cols, options.heads);
  check_arg(k.cols == q.cols && v.cols == q.cols && k.rows == v.rows,
            "[attention] k and v must be [keys, {}], got {} and {}", q.cols, k.shape_str(),
            v.shape_str());
  check_arg(out.rows == q.rows && out.cols == q.cols, "[attention] out must be {} (as q), got {}",
            q.shape_str(), out.shape_str());
}

}  // namespace openclip
