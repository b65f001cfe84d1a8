// What Strassen's algorithm multiplies: quarters of A and of B, and sums of two of them. The
// products and their names are in strassen.cc. For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_STRASSEN_FACTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_STRASSEN_FACTORS_INL_H_
#undef OPENCLIP_KERNELS_SIMD_STRASSEN_FACTORS_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_STRASSEN_FACTORS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "kernels/matmul.h"
#include "kernels/simd/block-inl.h"
#include "kernels/simd/pack-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr size_t kProductCount = 7;
inline constexpr size_t kGroupRows = 2 * kTileRows;

// Units of half a k-block. As long as a panel's half stays in the first cache or close to it: each
// product ends with sums in memory.
inline constexpr size_t kMostHalfUnits = 512;

// Floats of a block of A: what of the second cache it may take.
inline constexpr size_t kBlockFloats = kProductCount * 8 * kTileRows * 256;

// k > 0 in blocks of two halves each.
struct Halves {
  explicit Halves(size_t k)
      : blocks((k + 2 * kMostHalfUnits - 1) / (2 * kMostHalfUnits)), units(k / blocks / 2) {}
  size_t blocks, units;
  size_t left_floats() const { return kTileRows * units; }     // of a tile of A
  size_t right_floats() const { return tile_cols() * units; }  // of half a panel
};

// The quarters of one k-block of two panels.
struct RightQuarters {
  const float *b11, *b12, *b21, *b22;
};

// What a product needs of a k-block of two panels, half a panel each, one after the other: five
// sums, of M1, M3, M4, M6 and M7; and B11 and B22 where they are not packed as f32.
inline constexpr size_t kRightSums = 5, kRightHalves = 7;

struct RightFactors {
  RightFactors(const PackedMatrix& matrix, const Halves& halved)
      : b(matrix), halves(halved), count(is_half(b) ? kRightHalves : kRightSums) {}

  // Floats of a pair, and where in them a k-block's begin.
  size_t pair_floats() const { return halves.blocks * count * halves.right_floats(); }
  size_t begin(size_t pair, size_t k_block) const {
    return pair * pair_floats() + k_block * count * halves.right_floats();
  }
  // Where the quarters lie in the packed panels, in elements.
  size_t place(size_t pair, size_t k_block, size_t row, size_t column) const {
    return (2 * pair + column) * b.k * tile_cols() + (2 * k_block + row) * halves.right_floats();
  }

  const PackedMatrix& b;
  const Halves& halves;
  size_t count;
};

HWY_INLINE void sum_right(const RightQuarters& b, size_t count, float* to) {
  const FloatTag d;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto b11 = hn::Load(d, b.b11 + i), b12 = hn::Load(d, b.b12 + i);
    const auto b21 = hn::Load(d, b.b21 + i), b22 = hn::Load(d, b.b22 + i);
    hn::Store(hn::Add(b11, b22), d, to + i);
    hn::Store(hn::Sub(b12, b22), d, to + count + i);
    hn::Store(hn::Sub(b21, b11), d, to + 2 * count + i);
    hn::Store(hn::Add(b11, b12), d, to + 3 * count + i);
    hn::Store(hn::Add(b21, b22), d, to + 4 * count + i);
  }
}

template <class Half>
void fill_right_of_halves(const RightFactors& right, size_t pair, size_t k_block, float* to) {
  HWY_ALIGN float
      other[2 * kMostHalfUnits * kTileVectors * hn::MaxLanes(FloatTag())];  // B12 and B21
  const size_t count = right.halves.right_floats();
  const auto widen = [&](size_t row, size_t column, float* quarter) {
    const size_t place = right.place(pair, k_block, row, column);
    widen_panel<Half>(static_cast<const char*>(right.b.panels) + 2 * place, count, quarter);
    return quarter;
  };
  const RightQuarters quarters{widen(0, 0, to + kRightSums * count), widen(0, 1, other),
                               widen(1, 0, other + count),
                               widen(1, 1, to + (kRightSums + 1) * count)};
  sum_right(quarters, count, to);
}

inline void fill_right(const RightFactors& right, size_t pair, size_t k_block, float* to) {
  if (right.b.type == PanelType::f16)
    return fill_right_of_halves<hwy::float16_t>(right, pair, k_block, to);
  if (right.b.type == PanelType::bf16)
    return fill_right_of_halves<hwy::bfloat16_t>(right, pair, k_block, to);
  const float* b = static_cast<const float*>(right.b.panels);
  const auto at = [&](size_t row, size_t column) {
    return b + right.place(pair, k_block, row, column);
  };
  sum_right({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}, right.halves.right_floats(), to);
}

// The rows of A of one tile.
struct LeftRows {
  const float* data;
  size_t stride;
};

// The seven left factors of a group, `stride` floats apart.
HWY_INLINE void fill_group(const LeftRows& top, const LeftRows& bottom, const Halves& halves,
                           size_t stride, float* to) {
  const FloatTag d;
  HWY_ALIGN float a12[kTileRows * kMostHalfUnits], a21[kTileRows * kMostHalfUnits];
  float *const a11 = to + 2 * stride, *const a22 = to + 3 * stride;
  const size_t units = halves.units;
  interleave<true>(top.data, top.stride, kTileRows, units, a11);
  interleave<true>(top.data + units, top.stride, kTileRows, units, a12);
  interleave<true>(bottom.data, bottom.stride, kTileRows, units, a21);
  interleave<true>(bottom.data + units, bottom.stride, kTileRows, units, a22);
  for (size_t i = 0; i < halves.left_floats(); i += hn::Lanes(d)) {
    const auto v11 = hn::Load(d, a11 + i), v12 = hn::Load(d, a12 + i);
    const auto v21 = hn::Load(d, a21 + i), v22 = hn::Load(d, a22 + i);
    hn::Store(hn::Add(v11, v22), d, to + i);
    hn::Store(hn::Add(v21, v22), d, to + stride + i);
    hn::Store(hn::Add(v11, v12), d, to + 4 * stride + i);
    hn::Store(hn::Sub(v21, v11), d, to + 5 * stride + i);
    hn::Store(hn::Sub(v12, v22), d, to + 6 * stride + i);
  }
}

// Groups of rows that are multiplied while their factors stay in the second cache.
struct GroupBlock {
  size_t row, rows;  // of A
  size_t groups;
  float* left;  // [product, group, left_floats]
  float* sums;  // [group, quarter, tile]
};

inline void fill_groups(const RowSource& a, const Halves& halves, size_t k_block,
                        const GroupBlock& block) {
  HWY_ALIGN float copied[kGroupRows * 2 * kMostHalfUnits];
  const size_t count = 2 * halves.units, stride = block.groups * halves.left_floats();
  const size_t k = k_block * count;
  const MatrixView whole = a.in_place();
  for (size_t g = 0; g < block.groups; ++g) {
    const size_t row = block.row + g * kGroupRows;
    const size_t rows = std::min(kGroupRows, block.row + block.rows - row);
    LeftRows top{copied, count};
    if (rows == kGroupRows && whole.data != nullptr) {
      top = {whole.data + row * whole.stride + k, whole.stride};
    } else {
      a.copy(row, rows, k, count, copied, count);
      std::fill(copied + rows * count, copied + kGroupRows * count, 0.0f);  // rows there are not
    }
    const LeftRows bottom{top.data + kTileRows * top.stride, top.stride};
    fill_group(top, bottom, halves, stride, block.left + g * halves.left_floats());
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
