// Loops over one row, shared by the row kernels and attention. For inclusion under
// hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_ROWS_INL_H_
#undef OPENCLIP_KERNELS_SIMD_ROWS_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_ROWS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sum over i of term(i), where vector(i) gives the terms of a whole vector at i. Two accumulators
// hide the latency of the addition.
template <class VectorTerm, class Term>
HWY_INLINE float sum_terms(size_t count, const VectorTerm& vector, const Term& term) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto sum0 = hn::Zero(d), sum1 = hn::Zero(d);
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    sum0 = hn::Add(sum0, vector(i));
    sum1 = hn::Add(sum1, vector(i + lanes));
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
  for (; i < count; ++i) sum += term(i);
  return sum;
}

HWY_INLINE float row_dot(const float* x, const float* y, size_t count) {
  const hn::ScalableTag<float> d;
  return sum_terms(
      count, [&](size_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, y + i)); },
      [&](size_t i) { return x[i] * y[i]; });
}

HWY_INLINE float row_max(const float* x, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  float best = x[0];
  size_t i = 0;
  if (count >= lanes) {
    auto max = hn::LoadU(d, x);
    for (i = lanes; i + lanes <= count; i += lanes) max = hn::Max(max, hn::LoadU(d, x + i));
    best = hn::GetLane(hn::MaxOfLanes(d, max));
  }
  for (; i < count; ++i) best = std::max(best, x[i]);
  return best;
}

HWY_INLINE void row_scale(float* x, size_t count, float factor) {
  map_inplace(x, count,
              [factor](auto d, auto v) HWY_ATTR { return hn::Mul(v, hn::Set(d, factor)); });
}

// x = exp((x - max) * scale) in place; returns the sum. count > 0.
HWY_INLINE float row_exp(float* x, size_t count, float scale) {
  const float shift = row_max(x, count) * scale;
  map_inplace(x, count, [scale, shift](auto d, auto v) HWY_ATTR {
    return vec_exp(d, hn::MulSub(v, hn::Set(d, scale), hn::Set(d, shift)));
  });
  const hn::ScalableTag<float> d;
  return sum_terms(
      count, [&](size_t i) HWY_ATTR { return hn::LoadU(d, x + i); },
      [&](size_t i) { return x[i]; });
}

// y += factor * x.
HWY_INLINE void row_add_scaled(const float* x, size_t count, float factor, float* y) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto f = hn::Set(d, factor);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    hn::StoreU(hn::MulAdd(f, hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i);
  for (; i < count; ++i) y[i] += factor * x[i];
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
