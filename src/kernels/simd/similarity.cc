#include "kernels/similarity.h"

#include <cstring>

#include "base/half.h"
#include "kernels/half.h"
#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/similarity.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/half-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;

// How a stored element type is read: `load` gives one vector, `one` a single value.
struct StoredF32 {
  static constexpr size_t kSize = 4;
  static HWY_INLINE hn::Vec<F32> load(const uint8_t* at) {
    return hn::LoadU(F32(), reinterpret_cast<const float*>(at));
  }
  static float one(const uint8_t* at) {
    float value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
};

struct StoredF16 {
  static constexpr size_t kSize = 2;
  static HWY_INLINE hn::Vec<F32> load(const uint8_t* at) {
    const F32 d;
    const hn::Rebind<uint16_t, F32> d_bits;
    return widened<hwy::float16_t>(d, hn::LoadU(d_bits, reinterpret_cast<const uint16_t*>(at)));
  }
  static float one(const uint8_t* at) {
    uint16_t bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    return openclip::f16_to_f32(bits);
  }
};

struct StoredI8 {
  static constexpr size_t kSize = 1;
  static HWY_INLINE hn::Vec<F32> load(const uint8_t* at) {
    const F32 d;
    const hn::Rebind<int8_t, F32> d_bytes;
    const hn::RebindToSigned<F32> d_ints;
    return hn::ConvertTo(
        d, hn::PromoteTo(d_ints, hn::LoadU(d_bytes, reinterpret_cast<const int8_t*>(at))));
  }
  static float one(const uint8_t* at) { return static_cast<int8_t>(*at); }
};

// Rows are read together so that their sums do not wait for each other, nor for memory one after
// the other; two sums per row hide the latency of the first cache. A row alone is summed in the
// same order.
template <class Stored, size_t kRows>
HWY_INLINE void dot_block(const float* query, size_t dim, const uint8_t* const* rows, float* out) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<F32> even[kRows], odd[kRows];
  for (size_t r = 0; r < kRows; ++r) even[r] = odd[r] = hn::Zero(d);
  size_t j = 0;
  for (; j + 2 * lanes <= dim; j += 2 * lanes) {
    const auto q0 = hn::LoadU(d, query + j), q1 = hn::LoadU(d, query + j + lanes);
    for (size_t r = 0; r < kRows; ++r) {
      const uint8_t* at = rows[r] + j * Stored::kSize;
      even[r] = hn::MulAdd(q0, Stored::load(at), even[r]);
      odd[r] = hn::MulAdd(q1, Stored::load(at + lanes * Stored::kSize), odd[r]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even[r], odd[r])));
    for (size_t i = j; i < dim; ++i) sum += query[i] * Stored::one(rows[r] + i * Stored::kSize);
    out[r] = sum;
  }
}

// `row` gives the address of a row.
template <class Stored, class Row>
HWY_INLINE void dot_all(const float* query, size_t dim, const Row& row, size_t count, float* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint8_t* const rows[4] = {row(i), row(i + 1), row(i + 2), row(i + 3)};
    dot_block<Stored, 4>(query, dim, rows, out + i);
  }
  for (; i < count; ++i) {
    const uint8_t* const rows[1] = {row(i)};
    dot_block<Stored, 1>(query, dim, rows, out + i);
  }
}

template <class Row>
HWY_INLINE void dot_typed(const float* query, size_t dim, DType dtype, const Row& row, size_t count,
                          float* out) {
  if (dtype == DType::f32) return dot_all<StoredF32>(query, dim, row, count, out);
  if (dtype == DType::f16) return dot_all<StoredF16>(query, dim, row, count, out);
  dot_all<StoredI8>(query, dim, row, count, out);
}

void dot_dense(const float* query, size_t dim, DType dtype, const uint8_t* rows, size_t count,
               float* out) {
  const size_t row_bytes = dim * dtype_size(dtype);
  dot_typed(
      query, dim, dtype, [=](size_t i) { return rows + i * row_bytes; }, count, out);
}

void dot_apart(const float* query, size_t dim, DType dtype, const uint8_t* const* rows,
               size_t count, float* out) {
  dot_typed(
      query, dim, dtype, [=](size_t i) { return rows[i]; }, count, out);
}

void widen_i8(const uint8_t* from, size_t count, float* to) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(StoredI8::load(from + i), d, to + i);
  for (; i < count; ++i) to[i] = StoredI8::one(from + i);
}

// `limit` gives the limits of the vector at a position.
template <class Limit>
HWY_INLINE size_t above(const float* scores, size_t count, const Limit& limit, uint32_t* found) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  size_t n = 0, i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto mask = hn::Gt(hn::LoadU(d, scores + i), limit.vector(i));
    if (hn::AllFalse(d, mask)) continue;
    for (size_t j = i; j < i + lanes; ++j)
      if (scores[j] > limit.one(j)) found[n++] = static_cast<uint32_t>(j);
  }
  for (; i < count; ++i)
    if (scores[i] > limit.one(i)) found[n++] = static_cast<uint32_t>(i);
  return n;
}

size_t above_one(const float* scores, size_t count, float limit, uint32_t* found) {
  struct {
    float limit;
    auto vector(size_t) const { return hn::Set(F32(), limit); }
    float one(size_t) const { return limit; }
  } const limits{limit};
  return above(scores, count, limits, found);
}

size_t above_each(const float* scores, size_t count, const float* limits, uint32_t* found) {
  struct {
    const float* limits;
    auto vector(size_t i) const { return hn::LoadU(F32(), limits + i); }
    float one(size_t i) const { return limits[i]; }
  } const each{limits};
  return above(scores, count, each, found);
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(dot_dense);
HWY_EXPORT(dot_apart);
HWY_EXPORT(widen_i8);
HWY_EXPORT(above_one);
HWY_EXPORT(above_each);
}  // namespace

void dot_rows(const float* query, size_t dim, DType dtype, const uint8_t* rows, size_t count,
              float* out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(dot_dense)(query, dim, dtype, rows, count, out);
}

void dot_scattered(const float* query, size_t dim, DType dtype, const uint8_t* const* rows,
                   size_t count, float* out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(dot_apart)(query, dim, dtype, rows, count, out);
}

void widen(DType dtype, const uint8_t* from, size_t count, float* to) {
  current_isa();
  if (dtype == DType::f32) {
    if (count > 0) std::memcpy(to, from, count * sizeof(float));
  } else if (dtype == DType::f16) {
    f16_to_f32(from, count, to);
  } else {
    HWY_DYNAMIC_DISPATCH(widen_i8)(from, count, to);
  }
}

void StoredRows::copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                      size_t stride) const noexcept {
  const size_t size = dtype_size(dtype_);
  for (size_t i = 0; i < rows; ++i)
    widen(dtype_, rows_ + ((row_begin + i) * dim_ + k_begin) * size, k_count, to + i * stride);
}

size_t find_above(const float* scores, size_t count, float limit, uint32_t* found) {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(above_one)(scores, count, limit, found);
}

size_t find_above_each(const float* scores, size_t count, const float* limits, uint32_t* found) {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(above_each)(scores, count, limits, found);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
