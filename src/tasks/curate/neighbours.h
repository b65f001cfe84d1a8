// The nearest of a growing set of features, exactly. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "tensor/linear.h"

namespace openclip {

/// Rows of length 1 in the order they were added. Not thread-safe.
class NeighbourSet {
 public:
  explicit NeighbourSet(int64_t dim) : dim_(dim) {}

  struct Nearest {
    float cosine = -2;  // below every cosine: there is none yet
    int64_t row = -1;
  };

  /// The nearest row to each of queries [n, dim] of length 1; the earliest of equals.
  std::vector<Nearest> nearest(const Context& context, std::span<const float> queries) const;

  void add(const Context& context, std::span<const float> rows);

  int64_t size() const { return packed_rows_ + static_cast<int64_t>(loose_.size()) / dim_; }

 private:
  int64_t dim_;
  std::vector<Linear> blocks_;  // of kBlock rows, packed for the product
  std::vector<float> loose_;    // rows behind them
  int64_t packed_rows_ = 0;
};

}  // namespace openclip
