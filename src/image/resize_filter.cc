#include "image/resize_filter.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace openclip {
namespace {

double triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

// Keys' cubic convolution, a = -0.5. The order of operations is Pillow's: weights are rounded to
// fixed point, and another order would now and then round to the other side.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

}  // namespace

AxisFilter::AxisFilter(int in_size, double low, double high, int out_size,
                       Interpolation interpolation)
    : in_size_(in_size),
      low_(low),
      scale_(static_cast<float>(high - low) / static_cast<double>(out_size)),
      stretch_(std::max(scale_, 1.0)),
      support_((interpolation == Interpolation::bilinear ? 1.0 : 2.0) * stretch_),
      max_taps_(static_cast<int>(std::ceil(support_)) * 2 + 1),
      interpolation_(interpolation) {}

Taps AxisFilter::taps(int out) const {
  const double c = center(out);
  const int first = std::max(static_cast<int>(c - support_ + 0.5), 0);
  const int end = std::min(static_cast<int>(c + support_ + 0.5), in_size_);
  return {first, end - first};
}

Taps AxisFilter::weights(int out, double* weights) const {
  const Taps taps = this->taps(out);
  const double c = center(out);
  const double shrink = 1.0 / stretch_;
  double sum = 0.0;
  for (int i = 0; i < taps.count; ++i) {
    const double x = (i + taps.first - c + 0.5) * shrink;
    weights[i] = interpolation_ == Interpolation::bilinear ? triangle(x) : cubic(x);
    sum += weights[i];
  }
  for (int i = 0; i < taps.count && sum != 0.0; ++i) weights[i] /= sum;
  return taps;
}

template <class Weight>
WeightTable<Weight>::WeightTable(const AxisFilter& filter, int begin_, int end)
    : begin(begin_), stride(filter.max_taps()) {
  std::vector<double> exact(static_cast<size_t>(stride));
  weights.resize(static_cast<size_t>(end - begin) * stride);
  for (int out = begin; out < end; ++out) {
    taps.push_back(filter.weights(out, exact.data()));
    Weight* row = weights.data() + static_cast<size_t>(out - begin) * stride;
    for (int i = 0; i < taps.back().count; ++i) {
      if constexpr (std::is_integral_v<Weight>) {
        const double scaled = exact[i] * (1 << kWeightBits);
        row[i] = static_cast<Weight>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
      } else {
        row[i] = exact[i];
      }
    }
  }
}

template struct WeightTable<int32_t>;
template struct WeightTable<double>;

}  // namespace openclip
