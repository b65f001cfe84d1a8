// Vector exp, erf, tanh and the activations built on them, for inclusion by kernels under
// hwy/foreach_target.h (hence the toggled guard).
#if defined(OPENCLIP_KERNELS_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_MATH_INL_H_
#undef OPENCLIP_KERNELS_SIMD_MATH_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_MATH_INL_H_
#endif

#include <hwy/highway.h>

#include "kernels/unary.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// exp(x), relative error about 2 ulp; x is clamped to [-87.3, 88.3], so that the result stays a
// normal number: exp(-1000) gives 1e-38, not 0. Cody-Waite: x = n ln2 + r, |r| <= ln2/2, then a
// polynomial in r of degree 6 (Cephes expf's coefficients).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V vec_exp(D d, V x) {
  const hn::RebindToSigned<D> di;
  x = hn::Min(hn::Max(x, hn::Set(d, -87.3f)), hn::Set(d, 88.3f));
  const V n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  V p = hn::MulAdd(hn::Set(d, 1.9875691500e-4f), r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127)));
  return hn::Mul(p, hn::BitCast(d, exponent));
}

// 1 / (1 + exp(-x)).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V vec_sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, vec_exp(d, hn::Neg(x))));
}

// x Phi(x), where Phi(x) = (1 + erf(x / sqrt 2)) / 2. Own fit of erf(y) = y P(y^2) / Q(y^2),
// degrees 5 and 5, minimax in the relative error on |y| <= 3.92 (1.9e-8 before rounding), with the
// factors of y folded into the coefficients: c Phi(c) = c / 2 + c^2 P(c^2) / Q(c^2) for x bounded
// to |c| <= 3.92 sqrt 2, which is c or 0 at the ends; beyond, x or 0. Absolute error below 4e-7
// within the bounds (checked in float arithmetic).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V vec_gelu(D d, V x) {
  constexpr float kFactor = 0.35355339f;  // of P: 1 / (2 sqrt 2)
  const V limit = hn::Set(d, 5.54371717f);
  const V c = hn::Min(hn::Max(x, hn::Neg(limit)), limit);
  const V t = hn::Mul(c, c);
  V p = hn::MulAdd(hn::Set(d, kFactor / 32 * 2.050061845e-06f), t,
                   hn::Set(d, kFactor / 16 * 2.848648648e-04f));
  V q = hn::MulAdd(hn::Set(d, 3.809051668e-05f / 32), t, hn::Set(d, 1.162410461e-03f / 16));
  p = hn::MulAdd(p, t, hn::Set(d, kFactor / 8 * 3.765158852e-03f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.496830207e-02f / 8));
  p = hn::MulAdd(p, t, hn::Set(d, kFactor / 4 * 5.274727639e-02f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.141049859e-01f / 4));
  p = hn::MulAdd(p, t, hn::Set(d, kFactor / 2 * 1.903968720e-01f));
  q = hn::MulAdd(q, t, hn::Set(d, 5.020675780e-01f / 2));
  p = hn::MulAdd(p, t, hn::Set(d, kFactor * 1.128379146e+00f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.0f));
  const V beyond = hn::IfThenZeroElse(hn::Lt(x, limit), hn::Sub(x, limit));  // NaN stays NaN
  return hn::Add(hn::MulAdd(t, hn::Div(p, q), hn::Mul(c, hn::Set(d, 0.5f))), beyond);
}

// x/2 (1 + tanh(y)) = x sigmoid(2y), which spares a tanh of its own.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V vec_gelu_tanh(D d, V x) {
  const V cubic = hn::Set(d, 2.0f * 0.79788456f * 0.044715f);
  const V linear = hn::Set(d, 2.0f * 0.79788456f);
  const V y = hn::Mul(x, hn::MulAdd(hn::Mul(x, x), cubic, linear));
  return hn::Mul(x, vec_sigmoid(d, y));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V vec_quick_gelu(D d, V x) {
  return hn::Mul(x, vec_sigmoid(d, hn::Mul(x, hn::Set(d, 1.702f))));
}

// x[i] = f(d, x[i]); the ragged end goes through a small copy.
template <class F>
HWY_INLINE void map_inplace(float* HWY_RESTRICT x, size_t count, const F& f) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(d, hn::LoadU(d, x + i)), d, x + i);
  if (i == count) return;
  HWY_ALIGN float rest[hn::MaxLanes(d)] = {};
  for (size_t j = i; j < count; ++j) rest[j - i] = x[j];
  hn::Store(f(d, hn::Load(d, rest)), d, rest);
  for (size_t j = i; j < count; ++j) x[j] = rest[j - i];
}

// x[row, i] = f(d, x[row, i]) of a matrix whose rows are `stride` floats apart.
template <class F>
HWY_INLINE void map_rows(float* x, size_t stride, size_t rows, size_t count, const F& f) {
  for (size_t row = 0; row < rows; ++row) map_inplace(x + row * stride, count, f);
}

// All rows in one call: those of a tile have two vectors each, and each vector alone would wait for
// its own polynomial.
inline HWY_NOINLINE void unary_run(UnaryOp op, float* x, size_t stride, size_t rows, size_t count) {
  const auto map = [&](const auto& f) HWY_ATTR { map_rows(x, stride, rows, count, f); };
  switch (op) {
    case UnaryOp::identity:
      return;
    case UnaryOp::relu:
      return map([](auto d, auto v) HWY_ATTR { return hn::Max(v, hn::Zero(d)); });
    case UnaryOp::gelu:
      return map([](auto d, auto v) HWY_ATTR { return vec_gelu(d, v); });
    case UnaryOp::gelu_tanh:
      return map([](auto d, auto v) HWY_ATTR { return vec_gelu_tanh(d, v); });
    case UnaryOp::quick_gelu:
      return map([](auto d, auto v) HWY_ATTR { return vec_quick_gelu(d, v); });
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
