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

// One panel of B [k, columns] from rows of B, `stride` floats apart; columns from `count` on are 0.
HWY_INLINE void pack_panel(const float* from, size_t stride, size_t k, size_t count, float* to) {
  const size_t cols = tile_cols();
  for (size_t row = 0; row < k; ++row, to += cols, from += stride) {
    std::memcpy(to, from, count * sizeof(float));
    std::fill(to + count, to + cols, 0.0f);
  }
}

// One panel of B [k, columns] from rows of B^T, `stride` floats apart.
HWY_INLINE void pack_panel_transposed(const float* from, size_t stride, size_t k, size_t count,
                                      float* HWY_RESTRICT to) {
  const size_t cols = tile_cols();
  if (count < cols) std::fill(to, to + cols * k, 0.0f);
  // Blocks of 16: each source line is read whole while the target stays in the first cache.
  for (size_t row = 0; row < k; row += 16) {
    const size_t rows = std::min<size_t>(16, k - row);
    for (size_t col = 0; col < count; ++col) {
      const float* HWY_RESTRICT source = from + col * stride + row;
      for (size_t i = 0; i < rows; ++i) to[(row + i) * cols + col] = source[i];
    }
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
