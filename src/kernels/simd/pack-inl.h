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
#include <cstddef>
#include <cstring>

#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

// One panel of B [k, columns] from rows of B, `stride` elements apart; columns from `count` on are
// 0. kDepth consecutive elements of k lie together, the last ones filled up with 0.
template <size_t kDepth, class T>
HWY_INLINE void pack_panel(const T* from, size_t stride, size_t k, size_t count, T* to) {
  const size_t cols = tile_cols();
  if constexpr (kDepth == 1) {
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

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
