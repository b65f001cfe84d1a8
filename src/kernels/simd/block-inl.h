// Blocks of A in the form that a Dot multiplies: copied, rounded to bfloat16, or quantised to
// bytes. For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_
#undef OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_BLOCK_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/matmul.h"
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

// Rows of one block. Without AVX-512 the shorter ones of bytes may have more.
inline constexpr size_t kMaxRows = kTileVectors > 2 ? kFloatRows : 192;
template <class Dot>
inline constexpr size_t kBlockRows = kOfBytes<Dot> ? kMaxRows : kFloatRows;

// k in units, cut into the blocks that the product works in.
template <class Dot>
struct KBlocks {
  explicit KBlocks(size_t k)
      : units((k + Dot::kDepth - 1) / Dot::kDepth),
        count(std::max<size_t>(1, (units + kBlockUnits<Dot> - 1) / kBlockUnits<Dot>)) {}
  size_t begin(size_t block) const { return units * block / count; }  // unit
  size_t units, count;
};

// Rows [row, row + rows) and elements [k, k + k_count) of A.
struct BlockRange {
  size_t row, rows, k, k_count;
};

struct Block {
  HWY_ALIGN char data[kFloatRows * kMaxUnits * 4];
  float scale[kMaxRows], zero[kMaxRows];  // of bytes only
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

// q = round(x / scale) + zero in [0, max]. Whole vectors are written, so rows go in order.
HWY_INLINE void quantise_row(const float* from, size_t count, int max, char* to, float* scale,
                             float* zero) {
  const FloatTag d;
  const IntTag d_int;
  const hn::Rebind<uint8_t, FloatTag> d_byte;
  const size_t lanes = hn::Lanes(d);
  auto low = hn::Zero(d), high = hn::Zero(d);  // 0 must be one of the steps
  for (size_t i = 0; i < count; i += lanes) {
    const auto x = hn::LoadU(d, from + i);
    low = hn::Min(low, x);
    high = hn::Max(high, x);
  }
  const float least = hn::GetLane(hn::MinOfLanes(d, low));
  const float range = hn::GetLane(hn::MaxOfLanes(d, high)) - least;
  const float steps = static_cast<float>(max);
  const float factor = range > 0 ? steps / range : 0.0f;
  const auto offset = hn::Round(hn::Set(d, -least * factor));
  *scale = range / steps;
  *zero = hn::GetLane(offset);
  const auto start = hn::ConvertTo(d_int, offset), most = hn::Set(d_int, max);
  const auto least_step = hn::Zero(d_int);
  for (size_t i = 0; i < count; i += lanes) {
    const auto steps_up = hn::NearestInt(hn::Mul(hn::LoadU(d, from + i), hn::Set(d, factor)));
    const auto q = hn::Min(hn::Max(hn::Add(steps_up, start), least_step), most);
    hn::StoreU(hn::DemoteTo(d_byte, q), d_byte, reinterpret_cast<uint8_t*>(to) + i);
  }
}

// Fills the block; returns the bytes from row to row. Elements beyond k_count in a row's last unit
// meet zeros of B and may be anything finite.
template <class Dot>
HWY_INLINE size_t fill_block(const RowSource& a, const BlockRange& range, Block& block) {
  const size_t units = (range.k_count + Dot::kDepth - 1) / Dot::kDepth;
  const size_t stride = units * 4;
  if constexpr (Dot::kDepth == 1) {
    a.copy(range.row, range.rows, range.k, range.k_count, reinterpret_cast<float*>(block.data),
           range.k_count);
  } else {
    constexpr size_t kSpare = hn::MaxLanes(FloatTag());  // the last vector of a row
    HWY_ALIGN float row[kMaxUnits * Dot::kDepth + kSpare];
    HWY_ALIGN char packed[(kMaxUnits + kSpare) * 4];
    std::fill(row + range.k_count, row + units * Dot::kDepth + kSpare, 0.0f);
    for (size_t i = 0; i < range.rows; ++i) {
      a.copy(range.row + i, 1, range.k, range.k_count, row, range.k_count);
      const size_t count = units * Dot::kDepth;
      if constexpr (kOfBytes<Dot>)
        quantise_row(row, count, Dot::kMaxLeft, packed, &block.scale[i], &block.zero[i]);
      else
        round_row(row, count, packed);
      std::memcpy(block.data + i * stride, packed, stride);
    }
  }
  return stride;
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
