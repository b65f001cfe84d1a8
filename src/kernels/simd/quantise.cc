#include <algorithm>
#include <cmath>

#include "kernels/isa.h"
#include "kernels/matmul.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/quantise.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

float largest(const float* w, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto most = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) most = hn::Max(most, hn::Abs(hn::LoadU(d, w + i)));
  float result = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < count; ++i) result = std::max(result, std::abs(w[i]));
  return result;
}

void quantise(const float* w, size_t rows, size_t k, int8_t* q, float* scales) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<int8_t, hn::ScalableTag<float>> d_byte;
  const size_t lanes = hn::Lanes(d);
  for (size_t row = 0; row < rows; ++row, w += k, q += k) {
    const float most = largest(w, k);
    const float factor = most > 0 ? 127.0f / most : 0.0f;
    scales[row] = most > 0 ? most / 127.0f : 1.0f;
    size_t i = 0;
    for (; i + lanes <= k; i += lanes) {
      const auto steps = hn::NearestInt(hn::Mul(hn::LoadU(d, w + i), hn::Set(d, factor)));
      hn::StoreU(hn::DemoteTo(d_byte, steps), d_byte, q + i);
    }
    for (; i < k; ++i) q[i] = static_cast<int8_t>(std::nearbyint(w[i] * factor));
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(quantise);
}  // namespace

void quantise_columns(const float* w, size_t rows, size_t k, int8_t* q, float* scales) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(quantise)(w, rows, k, q, scales);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
