// Few numbers that bound the cosines of features from above. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "tensor/linear.h"

namespace openclip {

/// A row's outline is its coordinates in some orthonormal directions, and the length of what is
/// left of it. By Cauchy and Schwarz,
///   a . b = head(a) . head(b) + rest(a) . rest(b) <= head(a) . head(b) + |rest(a)| |rest(b)|,
/// so the product of two outlines is nowhere below that of the rows. It is near it where the
/// directions hold most of the rows; they are the leading ones of a sample.
class Outlines {
 public:
  Outlines() = default;
  /// sample: rows [n, dim]. Any give bounds that hold; those of typical rows give close ones.
  Outlines(const Context& context, std::span<const float> sample, int64_t dim);

  /// Of rows [n, dim] of length 1, as [n, size()]. Rests are rounded up, so that rounding leaves no
  /// bound below its cosine by more than `slack`.
  std::vector<float> of(const Context& context, std::span<const float> rows) const;

  int64_t size() const { return directions_.out() + 1; }
  float slack() const;

 private:
  int64_t dim_ = 0;
  Linear directions_;
};

}  // namespace openclip
