// The inner tile of all matrix products: up to kTileRows rows of A times one packed panel of B,
// held in registers. For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_TILE_INL_H_
#undef OPENCLIP_KERNELS_SIMD_TILE_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_TILE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <type_traits>
#include <utility>

#include "kernels/simd/dot-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Registers: rows x vectors sums, the vectors of B, one broadcast of A. 16 registers hold 6 x 2
// sums. The 32 of AVX-512 hold 6 x 4, which reads A and B least, or 12 x 2: faster for 7 to 12
// rows, which then are one tile (measurements: docs/kernels.md).
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
inline constexpr size_t kTileRows = 6, kTileVectors = 4, kTallRows = 12, kTallVectors = 2;
#else
inline constexpr size_t kTileRows = 6, kTileVectors = 2, kTallRows = 6, kTallVectors = 2;
#endif

// With fewer rows the hardware's own prefetcher must do. AVX2: the second tile of 7 to 12 rows
// finds the panel in a cache and would leave the memory idle (a caption takes 30 % less time).
// AVX-512: with 8 rows the prefetches took longer than they saved (12 %).
inline constexpr size_t kPrefetchRows = kTileVectors > 2 ? 24 : 7;

// Units from one prefetch to the next: with kPrefetchRows rows, each fetches a cache line of its
// own.
inline constexpr size_t kPrefetchUnits = kTileVectors > 2 ? 1 : 2;

HWY_INLINE size_t tile_cols() { return kTileVectors * hn::Lanes(FloatTag()); }

// How a tile's A lies in memory. Interleaved, the units of all rows lie together, in the order in
// which they are used: one address instead of one for each row, and fewer instructions, which
// counts most where two threads share a core (docs/kernels.md).
enum class LeftLayout {
  rows,        // [rows, units]
  interleaved  // [units, rows]
};

// One tile of `rows` x tile_cols(): c = start + A B, where start is c itself (accumulate), or
// residual + bias, each null = 0. Of bytes: c = start + (A B - zero sum) row_scale column_scale.
struct Tile {
  const void* a;    // as the LeftLayout says
  size_t a_stride;  // bytes from row to row, of LeftLayout::rows
  const void* b;    // packed panel, [units, tile_cols()], aligned
  size_t units;
  float* c;
  size_t c_stride;
  bool accumulate;
  const float* bias;
  const float* residual;
  size_t residual_stride;
  // Memory that comes next, read ahead while the tile is computed: prefetch_step bytes a unit.
  const char* prefetch;
  size_t prefetch_step;
  // Of bytes only: scale and zero point of each row of A, scale and sum of each column of B.
  const float* row_scale;
  const float* row_zero;
  const float* column_scale;
  const float* column_sum;
};

template <class Dot, size_t kRows, size_t kVectors>
using TileSums = typename Dot::Sums[kRows][kVectors];

// Indices are template arguments throughout, so that the compiler sees constant subscripts and
// keeps the sums in registers (gcc 12 spills arrays that are indexed by an unrolled loop).
template <class Dot, class Left, class Right, size_t... kVector>
HWY_INLINE void add_row(typename Dot::Sums (&sums)[sizeof...(kVector)], Left a,
                        const Right (&b)[sizeof...(kVector)], std::index_sequence<kVector...>) {
  if constexpr (requires { &Dot::add_two; }) {
    static_assert(sizeof...(kVector) == 2);
    const auto two = Dot::add_two({sums[0], sums[1]}, a, b[0], b[1]);
    sums[0] = two.first;
    sums[1] = two.second;
  } else {
    ((sums[kVector] = Dot::add(sums[kVector], a, b[kVector])), ...);
  }
}

// Adds one unit of each row: `a_row` and `a_unit` are bytes from row to row and to this unit.
template <class Dot, size_t... kRow, size_t... kVector>
HWY_INLINE void add_unit(const char* HWY_RESTRICT a, size_t a_row, size_t a_unit,
                         const char* HWY_RESTRICT b,
                         TileSums<Dot, sizeof...(kRow), sizeof...(kVector)>& sums,
                         std::index_sequence<kRow...>, std::index_sequence<kVector...> vectors) {
  const size_t vector_bytes = hn::Lanes(FloatTag()) * 4;
  using Right = decltype(Dot::right(b));
  const Right right[sizeof...(kVector)] = {Dot::right(b + kVector * vector_bytes)...};
  (add_row<Dot>(sums[kRow], Dot::left(a + kRow * a_row + a_unit), right, vectors), ...);
}

template <class Dot, LeftLayout kLayout, size_t... kRow, size_t... kVector, size_t... kStep>
HWY_INLINE void sum_tile(const Tile& t, TileSums<Dot, sizeof...(kRow), sizeof...(kVector)>& sums,
                         std::index_sequence<kRow...> rows, std::index_sequence<kVector...> vectors,
                         std::index_sequence<kStep...>) {
  constexpr bool kInterleaved = kLayout == LeftLayout::interleaved;
  constexpr size_t kSteps = sizeof...(kStep);
  const size_t unit_bytes = kTileVectors * hn::Lanes(FloatTag()) * 4;
  const size_t a_row = kInterleaved ? 4 : t.a_stride;
  const size_t a_unit = kInterleaved ? sizeof...(kRow) * 4 : 4;
  const char* HWY_RESTRICT a = static_cast<const char*>(t.a);
  const char* HWY_RESTRICT b = static_cast<const char*>(t.b);
  const auto clear = [&](typename Dot::Sums(&row)[sizeof...(kVector)]) HWY_ATTR
      __attribute__((always_inline)) {
    ((row[kVector] = Dot::zero()), ...);
  };
  (clear(sums[kRow]), ...);
  const char* ahead = t.prefetch;
  const size_t ahead_step = t.prefetch_step * kPrefetchUnits;
  const auto step = [&](size_t i) HWY_ATTR __attribute__((always_inline)) {
    if (i % kPrefetchUnits == 0) {
      hwy::Prefetch(ahead);
      ahead += ahead_step;
    }
    add_unit<Dot>(a, a_row, i * a_unit, b + i * unit_bytes, sums, rows, vectors);
  };
  size_t unit = 0;
  for (; unit + kSteps <= t.units; unit += kSteps) {
    (step(kStep), ...);
    a += kSteps * a_unit;
    b += kSteps * unit_bytes;
  }
  for (; unit < t.units; ++unit, a += a_unit, b += unit_bytes)
    add_unit<Dot>(a, a_row, 0, b, sums, rows, vectors);
}

// Sums of bytes to what they stand for.
HWY_INLINE FloatVec dequantised(const Tile&, FloatVec sums, size_t, size_t) { return sums; }
HWY_INLINE FloatVec dequantised(const Tile& t, IntVec sums, size_t row, size_t column) {
  const FloatTag d;
  const FloatVec offset = hn::Mul(hn::Set(d, t.row_zero[row]), hn::LoadU(d, t.column_sum + column));
  const FloatVec scale =
      hn::Mul(hn::Set(d, t.row_scale[row]), hn::LoadU(d, t.column_scale + column));
  return hn::Mul(hn::Sub(hn::ConvertTo(d, sums), offset), scale);
}

// What the product is added to comes last: were it the start of the sums, each of the k additions
// would round at its magnitude (measured: five times the error of a ViT-B-32).
// start(value, row, column): the value and what it is added to.
template <size_t... kVector, class Sums, class Start>
HWY_INLINE void finish_row(const Tile& t, const Sums (&sums)[sizeof...(kVector)], size_t row,
                           float* to, const Start& start, std::index_sequence<kVector...>) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  (hn::StoreU(start(dequantised(t, sums[kVector], row, kVector * lanes), row, kVector * lanes), d,
              to + kVector * lanes),
   ...);
}

template <size_t... kRow, size_t... kVector, class Sums, class Start>
HWY_INLINE void finish_rows(const Tile& t, const Sums (&sums)[sizeof...(kRow)][sizeof...(kVector)],
                            float* to, size_t stride, const Start& start,
                            std::index_sequence<kRow...>, std::index_sequence<kVector...> vectors) {
  (finish_row(t, sums[kRow], kRow, to + kRow * stride, start, vectors), ...);
}

// The fields are read once: the compiler must expect each store to change them.
template <class Dot, size_t... kRow, size_t... kVector>
HWY_INLINE void finish_tile(const Tile& t,
                            const TileSums<Dot, sizeof...(kRow), sizeof...(kVector)>& sums,
                            std::index_sequence<kRow...> rows,
                            std::index_sequence<kVector...> vectors) {
  const FloatTag d;
  float* const to = t.c;
  const size_t stride = t.c_stride;
  const float* const bias = t.bias;
  const float* const residual = t.residual;
  const size_t residual_stride = t.residual_stride;
  const auto earlier = [=](FloatVec value, size_t row, size_t column) HWY_ATTR {
    return hn::Add(value, hn::LoadU(d, to + row * stride + column));
  };
  const auto of_residual = [=](FloatVec value, size_t row, size_t column) HWY_ATTR {
    return hn::Add(value, hn::LoadU(d, residual + row * residual_stride + column));
  };
  const auto biased = [=](FloatVec value, size_t, size_t column)
                          HWY_ATTR { return hn::Add(value, hn::LoadU(d, bias + column)); };
  const auto both = [=](FloatVec value, size_t row, size_t column)
                        HWY_ATTR { return of_residual(biased(value, row, column), row, column); };
  const auto neither = [](FloatVec value, size_t, size_t) HWY_ATTR { return value; };
  if (t.accumulate) return finish_rows(t, sums, to, stride, earlier, rows, vectors);
  if (residual == nullptr && bias == nullptr)
    return finish_rows(t, sums, to, stride, neither, rows, vectors);
  if (residual == nullptr) return finish_rows(t, sums, to, stride, biased, rows, vectors);
  if (bias == nullptr) return finish_rows(t, sums, to, stride, of_residual, rows, vectors);
  finish_rows(t, sums, to, stride, both, rows, vectors);
}

// Units in one turn of the inner loop. Rows in place have too many addresses for more than one.
template <LeftLayout kLayout>
inline constexpr size_t kTurnUnits = kLayout == LeftLayout::interleaved ? 4 : 1;

template <class Dot, LeftLayout kLayout, size_t kVectors, size_t... kRow>
HWY_INLINE void tile_product(const Tile& t, std::index_sequence<kRow...> rows) {
  constexpr auto kVectorIndices = std::make_index_sequence<kVectors>();
  TileSums<Dot, sizeof...(kRow), kVectors> sums;
  sum_tile<Dot, kLayout>(t, sums, rows, kVectorIndices,
                         std::make_index_sequence<kTurnUnits<kLayout>>());
  finish_tile<Dot>(t, sums, rows, kVectorIndices);
}

template <class Dot, LeftLayout kLayout, size_t kVectors, size_t kRows>
HWY_NOINLINE void run_tile(const Tile& t) {
  tile_product<Dot, kLayout, kVectors>(t, std::make_index_sequence<kRows>());
}

template <class Dot, LeftLayout kLayout, size_t kVectors, size_t... kIndex>
HWY_INLINE void run_tile_of(size_t rows, const Tile& t, std::index_sequence<kIndex...>) {
  using Run = void (*)(const Tile&);
  static constexpr Run kRun[] = {run_tile<Dot, kLayout, kVectors, kIndex + 1>...};
  kRun[rows - 1](t);
}

// One tile of `rows` <= kTallRows rows. A tall one, and one of which only half the columns exist,
// goes over them in parts, and those from `columns` on are not computed.
template <class Dot, LeftLayout kLayout>
HWY_INLINE void run_tile(size_t rows, size_t columns, const Tile& whole) {
  const size_t step = kTallVectors * hn::Lanes(FloatTag());
  if (kTallVectors == kTileVectors || (rows <= kTileRows && columns > step))
    return run_tile_of<Dot, kLayout, kTileVectors>(rows, whole,
                                                   std::make_index_sequence<kTileRows>());
  Tile t = whole;
  for (size_t column = 0; column < columns; column += step) {
    run_tile_of<Dot, kLayout, kTallVectors>(rows, t, std::make_index_sequence<kTallRows>());
    t.b = static_cast<const char*>(t.b) + step * 4;
    t.c += step;
    if (t.bias != nullptr) t.bias += step;
    if (t.residual != nullptr) t.residual += step;
    if (t.column_scale != nullptr) t.column_scale += step;
    if (t.column_sum != nullptr) t.column_sum += step;
    t.prefetch_step = 0;  // done in the first part
  }
}

// Tiles that `rows` rows are cut into.
HWY_INLINE size_t tile_count(size_t rows) {
  const size_t height = rows <= kTallRows ? kTallRows : kTileRows;
  return (rows + height - 1) / height;
}

// Rows of tile `index` when `rows` are shared out evenly over `tiles`: 50 rows make nine tiles of 5
// or 6, not eight of 6 and a slow one of 2.
HWY_INLINE size_t tile_begin(size_t rows, size_t index, size_t tiles) {
  return rows * index / tiles;
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
