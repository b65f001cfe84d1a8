// Sharing out the rows of a matrix over threads. Rank 2.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/context.h"
#include "base/parallel.h"

namespace openclip {

/// Calls fn(begin, count) for ranges that cover [0, rows), in parallel where there is enough to do:
/// below about 16 K elements a thread takes longer to wake than to compute.
template <class F>
void for_rows(const Context& context, int64_t rows, int64_t cols, const F& fn) {
  constexpr int64_t kLeastElements = 16384;
  const int64_t grain = std::max<int64_t>(1, kLeastElements / std::max<int64_t>(1, cols));
  parallel_for(context.threads(), static_cast<size_t>(rows), static_cast<size_t>(grain),
               [&](size_t begin, size_t end, int) {
                 fn(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin));
               });
}

}  // namespace openclip
