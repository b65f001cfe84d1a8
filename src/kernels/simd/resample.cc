#include "kernels/resample.h"

#include <algorithm>
#include <cstring>

#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/resample.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes: a step's samples then fit 16 bytes.
using SumTag = hn::CappedTag<int32_t, 16>;
using SampleTag = hn::Rebind<uint8_t, SumTag>;

inline constexpr int32_t kHalf = 1 << (kResampleBits - 1);

size_t sum_lanes() { return std::max<size_t>(hn::Lanes(SumTag()), 4); }

inline uint8_t finish_sum(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kResampleBits, 0, 255));
}

#if HWY_TARGET == HWY_SCALAR

template <size_t kChannels>
void filter_row(const uint8_t* in, const PixelFilter& filter, uint8_t* out) {
  const int32_t* weights = filter.weights;
  for (size_t i = 0; i < filter.count; ++i, out += kChannels) {
    const uint8_t* pixel = in + filter.first[i] * kChannels;
    int32_t sums[kChannels];
    std::fill(sums, sums + kChannels, kHalf);
    for (size_t s = 0; s < filter.steps; ++s, pixel += kChannels, weights += 4)
      for (size_t c = 0; c < kChannels; ++c) sums[c] += pixel[c] * *weights;
    for (size_t c = 0; c < kChannels; ++c) out[c] = finish_sum(sums[c]);
  }
}

#else

// The samples of lanes / 4 pixels, four lanes each; of RGB the fourth is whatever comes next.
template <size_t kChannels, class D>
HWY_INLINE hn::Vec<D> load_pixels(D d, const uint8_t* pixel) {
  constexpr size_t kLanes = hn::MaxLanes(d);
  if constexpr (kChannels == 4 || kLanes == 4) {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<uint8_t, D>(), pixel));
  } else {
    const hn::FixedTag<uint8_t, 16> d16;
    alignas(16) static constexpr uint8_t kSpread[16] = {0, 1, 2, 2, 3, 4,  5,  5,
                                                        6, 7, 8, 8, 9, 10, 11, 11};
    const auto spread = hn::TableLookupBytes(hn::LoadU(d16, pixel), hn::Load(d16, kSpread));
    if constexpr (kLanes == 16)
      return hn::PromoteTo(d, spread);
    else
      return hn::PromoteTo(d, hn::LowerHalf(spread));
  }
}

// Adds the lanes of each channel up: to 4 lanes.
template <class D, class V>
HWY_INLINE hn::Vec<hn::FixedTag<int32_t, 4> > sum_pixels(D d, V sums) {
  if constexpr (hn::MaxLanes(d) == 4) {
    return sums;
  } else {
    const hn::Half<D> half;
    return sum_pixels(half, hn::Add(hn::LowerHalf(half, sums), hn::UpperHalf(half, sums)));
  }
}

template <size_t kChannels>
void filter_row(const uint8_t* in, const PixelFilter& filter, uint8_t* out) {
  const SumTag d;
  const hn::FixedTag<int32_t, 4> d4;
  const hn::Rebind<uint8_t, decltype(d4)> d4_bytes;
  constexpr size_t kLanes = hn::MaxLanes(d);
  const int32_t* HWY_RESTRICT weights = filter.weights;
  for (size_t i = 0; i < filter.count; ++i, out += kChannels) {
    const uint8_t* pixel = in + filter.first[i] * kChannels;
    auto sums = hn::Zero(d);
    for (size_t s = 0; s < filter.steps; ++s) {
      sums = hn::Add(sums, hn::Mul(load_pixels<kChannels>(d, pixel), hn::LoadU(d, weights)));
      pixel += kChannels * (kLanes / 4);
      weights += kLanes;
    }
    const auto sum = hn::Add(sum_pixels(d, sums), hn::Set(d4, kHalf));
    HWY_ALIGN uint8_t bytes[16];
    hn::StoreU(hn::DemoteTo(d4_bytes, hn::ShiftRight<kResampleBits>(sum)), d4_bytes, bytes);
    std::memcpy(out, bytes, kChannels);
  }
}

#endif

void filter_pixels(const uint8_t* in, size_t channels, const PixelFilter& filter, uint8_t* out) {
  if (channels == 3)
    filter_row<3>(in, filter, out);
  else
    filter_row<4>(in, filter, out);
}

void add_weighted(const uint8_t* HWY_RESTRICT samples, int32_t weight, size_t count,
                  int32_t* HWY_RESTRICT sums) {
  const SumTag d;
  const SampleTag d_sample;
  const size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, weight);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto sample = hn::PromoteTo(d, hn::LoadU(d_sample, samples + i));
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), hn::Mul(sample, factor)), d, sums + i);
  }
  for (; i < count; ++i) sums[i] += samples[i] * weight;
}

void finish_sums(const int32_t* HWY_RESTRICT sums, size_t count, uint8_t* HWY_RESTRICT out) {
  const SumTag d;
  const SampleTag d_sample;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto whole = hn::ShiftRight<kResampleBits>(hn::LoadU(d, sums + i));
    hn::StoreU(hn::DemoteTo(d_sample, whole), d_sample, out + i);
  }
  for (; i < count; ++i) out[i] = finish_sum(sums[i]);
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(sum_lanes);
HWY_EXPORT(filter_pixels);
HWY_EXPORT(add_weighted);
HWY_EXPORT(finish_sums);
}  // namespace

size_t resample_lanes() {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(sum_lanes)();
}

void filter_pixels(const uint8_t* in, size_t channels, const PixelFilter& filter, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(filter_pixels)(in, channels, filter, out);
}

void add_weighted(const uint8_t* samples, int32_t weight, size_t count, int32_t* sums) {
  HWY_DYNAMIC_DISPATCH(add_weighted)(samples, weight, count, sums);
}

void finish_sums(const int32_t* sums, size_t count, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(finish_sums)(sums, count, out);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
