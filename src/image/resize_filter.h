// Weights of the antialiased filters along one axis. Internal to src/image.
#pragma once

#include <cstdint>
#include <vector>

#include "image/resize.h"

namespace openclip {

/// The input samples that make one output sample: [first, first + count).
struct Taps {
  int first = 0;
  int count = 0;
  int end() const { return first + count; }
};

/// Filter of one axis as Pillow defines it. With scale = (high - low) / out_size, output i has its
/// centre at low + (i + 0.5) * scale; the filter is stretched by max(scale, 1), so that shrinking
/// averages all samples; its weights are cut at the picture's edge and normalised to sum 1.
class AxisFilter {
 public:
  /// in_size: samples of the input; [low, high): the part of it that becomes out_size samples.
  /// interpolation: bilinear or bicubic (a = -0.5).
  AxisFilter(int in_size, double low, double high, int out_size, Interpolation interpolation);

  /// Upper bound of Taps::count.
  int max_taps() const { return max_taps_; }

  Taps taps(int out) const;

  /// As taps(), and writes the weights, taps().count of them.
  Taps weights(int out, double* weights) const;

 private:
  double center(int out) const { return low_ + (out + 0.5) * scale_; }

  int in_size_;
  double low_;
  double scale_;
  double stretch_;
  double support_;  // half the filter's width in input samples
  int max_taps_;
  Interpolation interpolation_;
};

/// Weights of the outputs [begin, end), each row padded to `stride`. Weight: int32_t for 8-bit
/// samples, fixed point with kWeightBits fraction bits; double for 16-bit samples.
template <class Weight>
struct WeightTable {
  WeightTable(const AxisFilter& filter, int begin, int end);
  const Weight* row(int out) const {
    return weights.data() + static_cast<size_t>(out - begin) * stride;
  }

  int begin;
  int stride;
  std::vector<Taps> taps;
  std::vector<Weight> weights;
};

/// 32 bits less 8 of a sample and 2 for the overshoot of the bicubic filter (Pillow).
inline constexpr int kWeightBits = 22;

}  // namespace openclip
