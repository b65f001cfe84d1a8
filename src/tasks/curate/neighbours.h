// The nearest of a growing set of features, exactly. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "tasks/curate/outlines.h"
#include "tensor/linear.h"

namespace openclip {

/// Rows of length 1 in the order they were added. Not thread-safe.
///
/// Few rows are near enough to a query to be compared with it: a product of outlines (outlines.h)
/// bounds all cosines from above at a fraction of their cost, and a row whose bound is below the
/// best cosine so far cannot be the nearest.
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

  int64_t size() const { return static_cast<int64_t>(rows_.size()) / dim_; }

 private:
  class Search;

  void choose_directions(const Context& context, int64_t blocks);
  std::span<const float> block_rows(int64_t block) const;

  int64_t dim_;
  std::vector<float> rows_;
  Outlines outlines_;
  std::vector<Linear> blocks_;  // outlines of the first rows, packed for the product
  int64_t next_choice_ = 1;     // blocks at which the outlines' directions are chosen anew
};

}  // namespace openclip
