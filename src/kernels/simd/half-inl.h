// 16-bit floats to f32. For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_HALF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_HALF_INL_H_
#undef OPENCLIP_KERNELS_SIMD_HALF_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_HALF_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What hwy::float16_t or hwy::bfloat16_t elements of these bits are, exactly. Where no instruction
// converts binary16, Highway 1.0 makes numbers of infinities and NaN.
template <class T, class D>
HWY_INLINE hn::Vec<D> widened(D d, hn::Vec<hn::Rebind<uint16_t, D>> bits) {
#if HWY_TARGET != HWY_AVX2 && HWY_TARGET != HWY_AVX3 && HWY_TARGET != HWY_AVX3_DL
  if constexpr (std::is_same_v<T, hwy::float16_t>) {
    const hn::RebindToUnsigned<D> d_bits;
    const hn::RebindToSigned<D> d_int;
    const auto wide = hn::PromoteTo(d_bits, bits);
    const auto magnitude = hn::And(wide, hn::Set(d_bits, 0x7FFF));
    const auto sign = hn::ShiftLeft<16>(hn::Xor(wide, magnitude));
    const auto shifted = hn::ShiftLeft<13>(magnitude);
    // The exponents' biases differ by 112; a product sets subnormals right too.
    const auto number = hn::Mul(hn::BitCast(d, shifted), hn::Set(d, 0x1p112f));
    const auto special = hn::BitCast(d, hn::Or(shifted, hn::Set(d_bits, 0x7F800000)));
    const auto is_special = hn::Gt(hn::BitCast(d_int, magnitude), hn::Set(d_int, 0x7BFF));
    const auto value = hn::IfThenElse(hn::RebindMask(d, is_special), special, number);
    return hn::Or(value, hn::BitCast(d, sign));
  }
#endif
  return hn::PromoteTo(d, hn::BitCast(hn::Rebind<T, D>(), bits));
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
