// Blocks of A in the form that a Dot multiplies: copied, rounded to bfloat16, or quantised to
// bytes. For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_
#undef OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/matmul.h"
#include "kernels/simd/pack-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// An A block stays in the second cache while the panels pass by (295 KB). A k-block of a panel does
// not fit the first, but comes from the second fast enough, and longer sums are worth more.
// Measured: docs/kernels.md.
inline constexpr size_t kMaxUnits = 768;
inline constexpr size_t kFloatRows = 96;

template <class Dot>
inline constexpr bool kOfBytes = std::is_same_v<typename Dot::Sums, IntVec>;

// Units of k in one block. Those of bytes are shorter, since each has scales of its own.
template <class Dot>
inline constexpr size_t kBlockUnits = kOfBytes<Dot> ? 256 : kMaxUnits;

// Rows of the largest block, and of those of bytes, which with AVX-512 have fewer.
inline constexpr size_t kMaxRows = 2 * kFloatRows;
inline constexpr size_t kByteRows = kTileVectors > 2 ? kFloatRows : kMaxRows;

// k in units, cut into the blocks that the product works in.
template <class Dot>
struct KBlocks {
  explicit KBlocks(size_t k)
      : units((k + Dot::kDepth - 1) / Dot::kDepth),
        count(std::max<size_t>(1, (units + kBlockUnits<Dot> - 1) / kBlockUnits<Dot>)) {}
  size_t begin(size_t block) const { return units * block / count; }  // unit
  size_t units, count;
};

// Tiles of the largest block of rows: as many as the memory holds for k-blocks of that length.
template <class Dot>
HWY_INLINE size_t most_block_tiles(const KBlocks<Dot>& k_blocks) {
  if (kOfBytes<Dot>) return kByteRows / kTileRows;
  const size_t units = std::max<size_t>(1, (k_blocks.units + k_blocks.count - 1) / k_blocks.count);
  return std::min(kMaxRows, kFloatRows * kMaxUnits / units) / kTileRows;
}

// Rows [begin, end), cut into blocks of whole tiles, so that as many tiles as can be have all rows.
template <class Dot>
struct RowBlocks {
  RowBlocks(size_t begin, size_t end, const KBlocks<Dot>& k_blocks)
      : first(begin), rows(end - begin), tiles((rows + kTileRows - 1) / kTileRows) {
    const size_t most = most_block_tiles(k_blocks);
    count = (tiles + most - 1) / most;
  }
  size_t begin(size_t block) const {
    return first + tile_begin(rows, tiles * block / count, tiles);
  }
  size_t first, rows, tiles, count;
};

// Rows [row, row + rows) and elements [k, k + k_count) of A.
struct BlockRange {
  size_t row, rows, k, k_count;
};

// A block of A: tile i of its rows begins at unit tile_begin(rows, i, tile_count(rows)) * units.
struct Block {
  float* units;         // of 32 bits, whatever they hold; tiles of LeftLayout::interleaved
  float *scale, *zero;  // of each row, of bytes only
};

// Room for one.
struct BlockMemory {
  HWY_ALIGN float units[kFloatRows * kMaxUnits];
  float scale[kMaxRows], zero[kMaxRows];
  Block block() { return {units, scale, zero}; }
};

// bfloat16 to nearest, ties to even, in the lower halves; NaN stays NaN.
HWY_INLINE hn::Vec<hn::ScalableTag<uint32_t>> to_bf16(FloatVec x) {
  const hn::ScalableTag<uint32_t> d;
  const auto bits = hn::BitCast(d, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(d, 0x7FFF))));
  const auto quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(d, 0x40));
  return hn::IfThenElse(hn::RebindMask(d, hn::Ne(x, x)), quiet, rounded);
}

// `from` has room for whole vectors; so has `to`.
HWY_INLINE void round_row(const float* from, size_t count, char* to) {
  const FloatTag d;
  const hn::Rebind<uint16_t, FloatTag> d_half;
  const hn::RebindToSigned<FloatTag> d_int;
  uint16_t* halves = reinterpret_cast<uint16_t*>(to);
  for (size_t i = 0; i < count; i += hn::Lanes(d))
    hn::StoreU(hn::DemoteTo(d_half, hn::BitCast(d_int, to_bf16(hn::LoadU(d, from + i)))), d_half,
               halves + i);
}

// Nearest integers, ties to even, of |x| < 2^22: the sum's last bit is worth 1.
HWY_INLINE IntVec nearest_integers(FloatVec x) {
  const FloatTag d;
  const auto shift = hn::Set(d, 12582912.0f);  // 1.5 * 2^23
  return hn::Sub(hn::BitCast(IntTag(), hn::Add(x, shift)), hn::BitCast(IntTag(), shift));
}

// The least and the largest of 0 and `count` numbers. Those `next` further on are read ahead:
// blocks of long rows lie too far apart for the processor to expect the next.
HWY_INLINE void range_of(const float* from, size_t count, size_t next, FloatVec& low,
                         FloatVec& high) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  auto low2 = hn::Zero(d), high2 = hn::Zero(d);
  low = high = low2;
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    hwy::Prefetch(from + i + next);
    const auto x = hn::LoadU(d, from + i), y = hn::LoadU(d, from + i + lanes);
    low = hn::Min(low, x);
    high = hn::Max(high, x);
    low2 = hn::Min(low2, y);
    high2 = hn::Max(high2, y);
  }
  for (; i < count; i += lanes) {
    const auto x = hn::LoadU(d, from + i);
    low = hn::Min(low, x);
    high = hn::Max(high, x);
  }
  low = hn::MinOfLanes(d, hn::Min(low, low2));
  high = hn::MaxOfLanes(d, hn::Max(high, high2));
}

// q = round(x / scale) + zero in [0, max]; 0 is one of the steps. Whole vectors are written, so
// rows go in order. next: numbers from here to the row that comes after.
HWY_INLINE void quantise_row(const float* from, size_t count, size_t next, int max, char* to,
                             float* scale, float* zero) {
  const FloatTag d;
  const IntTag d_int;
  const hn::Rebind<uint8_t, FloatTag> d_byte;
  auto low = hn::Zero(d), high = hn::Zero(d);
  range_of(from, count, next, low, high);
  const float least = hn::GetLane(low);
  const float range = hn::GetLane(high) - least;
  const float steps = static_cast<float>(max);
  const float factor = range > 0 ? steps / range : 0.0f;
  const auto offset = hn::Round(hn::Set(d, -least * factor));
  *scale = range / steps;
  *zero = hn::GetLane(offset);
  const auto start = hn::ConvertTo(d_int, offset), most = hn::Set(d_int, max);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto steps_up = nearest_integers(hn::Mul(hn::LoadU(d, from + i), hn::Set(d, factor)));
    const auto q = hn::Min(hn::Max(hn::Add(steps_up, start), hn::Zero(d_int)), most);
    hn::StoreU(hn::U8FromU32(hn::BitCast(hn::RebindToUnsigned<IntTag>(), q)), d_byte,
               reinterpret_cast<uint8_t*>(to) + i);
  }
}

inline constexpr size_t kLineUnits = 64 / sizeof(float);  // in a cache line

// [rows, units] of 32 bits, `stride` units from row to row, to [units, rows]. kReadAhead: the same
// units of the rows that come after are fetched, which lie too far apart for the processor to
// expect.
template <bool kReadAhead>
HWY_INLINE void interleave(const float* from, size_t stride, size_t rows, size_t units,
                           float* HWY_RESTRICT to) {
  size_t done = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  if (rows >= 4) {
    done = units / 4 * 4;
    for (size_t unit = 0; unit < done; unit += 4) {
      if (kReadAhead && unit % kLineUnits == 0)
        for (size_t row = rows; row < 2 * rows; ++row) hwy::Prefetch(from + row * stride + unit);
      for (size_t row = 0; row < rows; row += 4) {
        const size_t first = std::min(row, rows - 4);  // the last four may overlap those before
        turn_square(d, from + first * stride + unit, stride, to + unit * rows + first, rows);
      }
    }
  }
#endif
  for (size_t unit = done; unit < units; ++unit)
    for (size_t row = 0; row < rows; ++row) to[unit * rows + row] = from[row * stride + unit];
}

// Rows of a tile as they come from A, and as units of 16-bit or 8-bit elements.
template <class Dot>
struct TileRows {
  static constexpr size_t kSpare = hn::MaxLanes(FloatTag());  // the last vector of a row
  static constexpr size_t kElements = kBlockUnits<Dot> * Dot::kDepth + kSpare;
  static constexpr size_t kUnits = kBlockUnits<Dot> + kSpare;
  HWY_ALIGN float elements[(Dot::kDepth == 1 ? kTallRows : 1) * kElements];
  HWY_ALIGN float units[Dot::kDepth == 1 ? 1 : kTallRows * kUnits];
};

template <class Dot>
HWY_INLINE void fill_rows(const RowSource& a, const BlockRange& range, TileRows<Dot>& rows,
                          float* to, float* scale, float* zero) {
  const size_t units = (range.k_count + Dot::kDepth - 1) / Dot::kDepth;
  const MatrixView whole = a.in_place();
  if constexpr (Dot::kDepth == 1) {
    if (whole.data != nullptr) {
      const float* from = whole.data + range.row * whole.stride + range.k;
      interleave<true>(from, whole.stride, range.rows, units, to);
    } else {
      a.copy(range.row, range.rows, range.k, range.k_count, rows.elements, range.k_count);
      interleave<false>(rows.elements, range.k_count, range.rows, units, to);
    }
  } else {
    const size_t count = units * Dot::kDepth;
    // Elements beyond k_count in a row's last unit meet zeros of B and may be anything finite.
    std::fill(rows.elements + range.k_count, rows.elements + count + TileRows<Dot>::kSpare, 0.0f);
    const bool in_place = whole.data != nullptr && range.k_count % hn::Lanes(FloatTag()) == 0 &&
                          count == range.k_count;
    for (size_t i = 0; i < range.rows; ++i) {
      const float* from = rows.elements;
      if (in_place)
        from = whole.data + (range.row + i) * whole.stride + range.k;
      else
        a.copy(range.row + i, 1, range.k, range.k_count, rows.elements, range.k_count);
      char* packed = reinterpret_cast<char*>(rows.units + i * TileRows<Dot>::kUnits);
      if constexpr (kOfBytes<Dot>)
        quantise_row(from, count, in_place && i + 1 < range.rows ? whole.stride : 0, Dot::kMaxLeft,
                     packed, scale + i, zero + i);
      else
        round_row(from, count, packed);
    }
    interleave<false>(rows.units, TileRows<Dot>::kUnits, range.rows, units, to);
  }
}

// Tile `index` of the block's rows.
template <class Dot>
HWY_INLINE void fill_tile(const RowSource& a, const BlockRange& range, size_t index,
                          TileRows<Dot>& rows, const Block& block) {
  const size_t units = (range.k_count + Dot::kDepth - 1) / Dot::kDepth;
  const size_t tiles = tile_count(range.rows);
  const size_t begin = tile_begin(range.rows, index, tiles);
  const size_t count = tile_begin(range.rows, index + 1, tiles) - begin;
  fill_rows<Dot>(a, {range.row + begin, count, range.k, range.k_count}, rows,
                 block.units + begin * units, block.scale + begin, block.zero + begin);
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
