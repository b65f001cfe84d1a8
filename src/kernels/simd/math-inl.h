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

// erf(x), absolute error below 4e-7 (checked over [-6, 6] in float arithmetic). Own fit of
// x P(x^2) / Q(x^2), degrees 5 and 5, minimax in the relative error on |x| <= 3.92 (1.9e-8 before
// rounding); beyond, +-1 exactly, so that GELU of large negative x vanishes.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V vec_erf(D d, V x) {
  const V limit = hn::Set(d, 3.92f);
  const V bounded = hn::Min(hn::Max(x, hn::Neg(limit)), limit);
  const V u = hn::Mul(bounded, bounded);
  V p = hn::MulAdd(hn::Set(d, 2.050061845e-06f), u, hn::Set(d, 2.848648648e-04f));
  V q = hn::MulAdd(hn::Set(d, 3.809051668e-05f), u, hn::Set(d, 1.162410461e-03f));
  p = hn::MulAdd(p, u, hn::Set(d, 3.765158852e-03f));
  q = hn::MulAdd(q, u, hn::Set(d, 1.496830207e-02f));
  p = hn::MulAdd(p, u, hn::Set(d, 5.274727639e-02f));
  q = hn::MulAdd(q, u, hn::Set(d, 1.141049859e-01f));
  p = hn::MulAdd(p, u, hn::Set(d, 1.903968720e-01f));
  q = hn::MulAdd(q, u, hn::Set(d, 5.020675780e-01f));
  p = hn::MulAdd(p, u, hn::Set(d, 1.128379146e+00f));
  q = hn::MulAdd(q, u, hn::Set(d, 1.0f));
  const V inside = hn::Div(hn::Mul(bounded, p), q);
  return hn::IfThenElse(hn::Ge(hn::Abs(x), limit), hn::CopySign(hn::Set(d, 1.0f), x), inside);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V vec_gelu(D d, V x) {
  const V half_x = hn::Mul(x, hn::Set(d, 0.5f));
  return hn::MulAdd(half_x, vec_erf(d, hn::Mul(x, hn::Set(d, 0.70710678f))), half_x);
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
