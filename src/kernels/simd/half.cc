#include "kernels/half.h"

#include <cstring>

#include "base/half.h"
#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/half.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/half-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// T: hwy::float16_t or hwy::bfloat16_t; `one` converts a single value.
template <class T, class One>
HWY_INLINE void promote(const uint8_t* from, size_t count, float* to, const One& one) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<uint16_t, decltype(d)> d_bits;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN uint16_t bits[hn::MaxLanes(d)];
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    std::memcpy(bits, from + 2 * i, 2 * lanes);  // becomes one unaligned load
    hn::StoreU(widened<T>(d, hn::Load(d_bits, bits)), d, to + i);
  }
  for (; i < count; ++i) {
    uint16_t value = 0;
    std::memcpy(&value, from + 2 * i, 2);
    to[i] = one(value);
  }
}

void promote_f16(const uint8_t* from, size_t count, float* to) {
  promote<hwy::float16_t>(from, count, to, [](uint16_t v) { return openclip::f16_to_f32(v); });
}

void promote_bf16(const uint8_t* from, size_t count, float* to) {
  promote<hwy::bfloat16_t>(from, count, to, [](uint16_t v) { return openclip::bf16_to_f32(v); });
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(promote_f16);
HWY_EXPORT(promote_bf16);
}  // namespace

void f16_to_f32(const uint8_t* from, size_t count, float* to) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(promote_f16)(from, count, to);
}

void bf16_to_f32(const uint8_t* from, size_t count, float* to) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(promote_bf16)(from, count, to);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
