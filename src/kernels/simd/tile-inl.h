// The inner tile of all matrix products: up to kTileRows rows of A times one packed panel of B,
// held in registers. For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_TILE_INL_H_
#undef OPENCLIP_KERNELS_SIMD_TILE_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using TileTag = hn::ScalableTag<float>;
using TileVec = hn::Vec<TileTag>;

// Registers: rows x 2 accumulators + 2 of B + 1 broadcast of A. 16 registers hold 6 rows, the 32 of
// AVX-512 hold 12 (14 would fit too, but then the 14 row offsets no longer fit the general
// registers).
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
inline constexpr size_t kTileRows = 12;
#else
inline constexpr size_t kTileRows = 6;
#endif

HWY_INLINE size_t tile_cols() { return 2 * hn::Lanes(TileTag()); }

// One tile of `rows` x tile_cols(): c = start + A B, where start is c itself (accumulate), or
// residual + bias, each null = 0.
struct Tile {
  const float* a;  // [rows, k]
  size_t a_stride;
  const float* b;  // packed panel, [k, tile_cols()], aligned
  size_t k;
  float* c;
  size_t c_stride;
  bool accumulate;
  const float* bias;
  const float* residual;
  size_t residual_stride;
};

// Indices are template arguments throughout, so that the compiler sees constant subscripts and
// keeps `acc` in registers (gcc 12 spills arrays that are indexed by an unrolled loop).
template <size_t... kRow>
HWY_INLINE void tile_product(const Tile& t, std::index_sequence<kRow...>) {
  const TileTag d;
  const size_t lanes = hn::Lanes(d);
  const size_t cols = 2 * lanes;
  TileVec lo[sizeof...(kRow)], hi[sizeof...(kRow)];
  ((lo[kRow] = hi[kRow] = hn::Zero(d)), ...);
  const float* HWY_RESTRICT a = t.a;
  const float* HWY_RESTRICT b = t.b;
  const size_t stride = t.a_stride;
  for (size_t k = 0; k < t.k; ++k, b += cols, ++a) {
    const TileVec b_lo = hn::Load(d, b);
    const TileVec b_hi = hn::Load(d, b + lanes);
    (
        [&]() HWY_ATTR {
          const TileVec x = hn::Set(d, a[kRow * stride]);
          lo[kRow] = hn::MulAdd(x, b_lo, lo[kRow]);
          hi[kRow] = hn::MulAdd(x, b_hi, hi[kRow]);
        }(),
        ...);
  }
  // What the product is added to comes last: were it the start of the sums, each of the k additions
  // would round at its magnitude (measured: five times the error of a ViT-B-32).
  const auto add = [&](const float* from, size_t from_stride) HWY_ATTR {
    ((lo[kRow] = hn::Add(lo[kRow], hn::LoadU(d, from + kRow * from_stride)),
      hi[kRow] = hn::Add(hi[kRow], hn::LoadU(d, from + kRow * from_stride + lanes))),
     ...);
  };
  if (t.accumulate) {
    add(t.c, t.c_stride);
  } else {
    if (t.bias != nullptr) add(t.bias, 0);
    if (t.residual != nullptr) add(t.residual, t.residual_stride);
  }
  ((hn::StoreU(lo[kRow], d, t.c + kRow * t.c_stride),
    hn::StoreU(hi[kRow], d, t.c + kRow * t.c_stride + lanes)),
   ...);
}

template <size_t kRows>
HWY_NOINLINE void run_tile(const Tile& t) {
  tile_product(t, std::make_index_sequence<kRows>());
}

template <size_t... kIndex>
HWY_INLINE void run_tile_of(size_t rows, const Tile& t, std::index_sequence<kIndex...>) {
  using Run = void (*)(const Tile&);
  static constexpr Run kRun[] = {run_tile<kIndex + 1>...};
  kRun[rows - 1](t);
}

// rows: 1 to kTileRows.
HWY_INLINE void run_tile(size_t rows, const Tile& t) {
  run_tile_of(rows, t, std::make_index_sequence<kTileRows>());
}

// Rows of tile `index` when `rows` are shared out evenly over ceil(rows / kTileRows) tiles:
// 50 rows make nine tiles of 5 or 6, not eight of 6 and a slow one of 2.
HWY_INLINE size_t tile_begin(size_t rows, size_t index, size_t tiles) {
  return rows * index / tiles;
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
