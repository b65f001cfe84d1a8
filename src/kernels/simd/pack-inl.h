// Packing of a right-hand matrix into panels of tile_cols() columns. For inclusion under
// hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_PACK_INL_H_
#undef OPENCLIP_KERNELS_SIMD_PACK_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_PACK_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "base/half.h"
#include "kernels/matmul.h"
#include "kernels/simd/half-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

HWY_INLINE float as_float(float value) { return value; }
HWY_INLINE float as_float(hwy::float16_t value) {
  return f16_to_f32(std::bit_cast<uint16_t>(value));
}
HWY_INLINE float as_float(hwy::bfloat16_t value) {
  return bf16_to_f32(std::bit_cast<uint16_t>(value));
}

#if HWY_TARGET != HWY_SCALAR
// The columns that are turned at once.
#if HWY_MAX_BYTES >= 32 && !HWY_HAVE_SCALABLE
using ColumnsTag = hn::FixedTag<float, 8>;
#else
using ColumnsTag = hn::FixedTag<float, 4>;
#endif

// Four floats at `from` in each block of 128 bits, those of block i `4 i stride` elements further.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_fours(D d, const T* from, size_t stride) {
  if constexpr (hn::MaxLanes(D()) == 8) {
    const hn::Half<D> d_half;
    return hn::Combine(d, load_fours(d_half, from + 4 * stride, stride),
                       load_fours(d_half, from, stride));
  } else if constexpr (std::is_same_v<T, float>) {
    return hn::LoadU(d, from);
  } else {
    const hn::Rebind<uint16_t, D> d_bits;
    return widened<T>(d, hn::LoadU(d_bits, reinterpret_cast<const uint16_t*>(from)));
  }
}

// Four elements of k of as many columns as `d` has lanes: from columns `stride` apart to rows
// `cols` apart.
template <class D, class T>
HWY_INLINE void turn_square(D d, const T* from, size_t stride, float* to, size_t cols) {
  const hn::Repartition<uint64_t, D> d_pairs;
  const auto v0 = load_fours(d, from, stride), v1 = load_fours(d, from + stride, stride);
  const auto v2 = load_fours(d, from + 2 * stride, stride);
  const auto v3 = load_fours(d, from + 3 * stride, stride);
  const auto low01 = hn::BitCast(d_pairs, hn::InterleaveLower(d, v0, v1));
  const auto low23 = hn::BitCast(d_pairs, hn::InterleaveLower(d, v2, v3));
  const auto high01 = hn::BitCast(d_pairs, hn::InterleaveUpper(d, v0, v1));
  const auto high23 = hn::BitCast(d_pairs, hn::InterleaveUpper(d, v2, v3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d_pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d_pairs, low01, low23)), d, to + cols);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d_pairs, high01, high23)), d, to + 2 * cols);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d_pairs, high01, high23)), d, to + 3 * cols);
}

#endif

// One panel of B [k, columns] from rows of B, `stride` elements apart; columns from `count` on are
// 0. kDepth consecutive elements of k lie together, the last ones filled up with 0.
template <size_t kDepth, class T>
HWY_INLINE void pack_panel(const T* from, size_t stride, size_t k, size_t count, T* to) {
  const size_t cols = tile_cols();
  if constexpr (kDepth == 1) {
    if (count == cols) {  // of a size that the compiler knows
      for (size_t row = 0; row < k; ++row, to += cols, from += stride)
        std::memcpy(to, from, cols * sizeof(T));
      return;
    }
    for (size_t row = 0; row < k; ++row, to += cols, from += stride) {
      std::memcpy(to, from, count * sizeof(T));
      std::fill(to + count, to + cols, T{});
    }
  } else {
    const size_t units = (k + kDepth - 1) / kDepth;
    std::fill(to, to + units * kDepth * cols, T{});
    for (size_t row = 0; row < k; ++row, from += stride)
      for (size_t col = 0; col < count; ++col)
        to[(row / kDepth * cols + col) * kDepth + row % kDepth] = from[col];
  }
}

// One panel of B [k, columns] as f32 from rows of B^T, `stride` elements apart; columns from
// `count` on are 0. T: float, hwy::float16_t or hwy::bfloat16_t.
template <class T>
HWY_INLINE void turn_panel(const T* from, size_t stride, size_t k, size_t count,
                           float* HWY_RESTRICT to) {
  const size_t cols = tile_cols();
  if (count < cols) std::fill(to, to + k * cols, 0.0f);
  size_t wide_count = 0, wide_k = 0;
#if HWY_TARGET != HWY_SCALAR
  const ColumnsTag d;
  wide_count = count / hn::Lanes(d) * hn::Lanes(d);
  wide_k = k / 4 * 4;
  // Blocks of one cache line: each source line is read whole while the target stays in the first
  // cache.
  constexpr size_t kLine = 64 / sizeof(T);
  for (size_t row = 0; row < wide_k; row += kLine)
    for (size_t col = 0; col < wide_count; col += hn::Lanes(d))
      for (size_t i = row; i < std::min(row + kLine, wide_k); i += 4)
        turn_square(d, from + col * stride + i, stride, to + i * cols + col, cols);
#endif
  for (size_t col = 0; col < count; ++col)
    for (size_t i = col < wide_count ? wide_k : 0; i < k; ++i)
      to[i * cols + col] = as_float(from[col * stride + i]);
}

// One panel of B [k, columns] from rows of B^T, `stride` elements apart.
template <size_t kDepth, class T>
HWY_INLINE void pack_panel_transposed(const T* from, size_t stride, size_t k, size_t count,
                                      T* HWY_RESTRICT to) {
  const size_t cols = tile_cols();
  const size_t units = (k + kDepth - 1) / kDepth;
  if (count < cols || k % kDepth != 0) std::fill(to, to + units * kDepth * cols, T{});
  // Blocks of one cache line: each source line is read whole while the target stays in the first
  // cache.
  constexpr size_t kLine = 64 / sizeof(T);
  for (size_t row = 0; row < k; row += kLine) {
    const size_t rows = std::min(kLine, k - row);
    for (size_t col = 0; col < count; ++col) {
      const T* HWY_RESTRICT source = from + col * stride + row;
      T* HWY_RESTRICT target = to + row * cols + col * kDepth;
      size_t i = 0;
      for (; i + kDepth <= rows; i += kDepth, target += kDepth * cols)
        std::memcpy(target, source + i, kDepth * sizeof(T));
      std::copy(source + i, source + rows, target);
    }
  }
}

// Whether weights have 16 bits that become f32 when they are used.
HWY_INLINE bool is_half(const PackedMatrix& b) {
  return b.type == PanelType::f16 || b.type == PanelType::bf16;
}

// `count` packed 16-bit floats as f32, which is exact.
template <class Half>
HWY_INLINE void widen_panel(const char* from, size_t count, float* to) {
  const FloatTag d;
  const hn::Rebind<uint16_t, FloatTag> d_bits;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto bits = hn::Load(d_bits, reinterpret_cast<const uint16_t*>(from) + i);
    hn::Store(widened<Half>(d, bits), d, to + i);
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
