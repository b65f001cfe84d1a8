// Integer sums: every instruction set must equal the formula, bit for bit.
#include "kernels/resample.h"

#include <algorithm>

#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

std::vector<uint8_t> samples(size_t count) {
  Random random(count);
  std::vector<uint8_t> values(count);
  for (uint8_t& value : values) value = static_cast<uint8_t>(127.5f * (random.next() + 1));
  return values;
}

// Weights like a bicubic filter's: some negative, sums about 1 in fixed point, some far over it.
int32_t weight(size_t i) {
  static constexpr int32_t kWeights[] = {-300'000, 900'000, 3'000'000, 1'100'000, -500'000, 77};
  return kWeights[i % 6];
}

uint8_t finished(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kResampleBits, 0, 255));
}

TEST(ResampleTest, FiltersPixels) {
  const size_t lanes = resample_lanes(), at_once = lanes / 4;
  for (const size_t channels : {3, 4}) {
    for (const size_t taps : {1, 2, 3, 5, 9}) {
      const size_t steps = (taps + at_once - 1) / at_once, count = 37, pixels = 100;
      const std::vector<uint8_t> in = samples((pixels + steps * at_once) * channels + 16);
      std::vector<uint32_t> first;
      std::vector<int32_t> weights(count * steps * lanes);
      std::vector<uint8_t> want, got(count * channels);
      for (size_t i = 0; i < count; ++i) {
        first.push_back(static_cast<uint32_t>(i * 2));
        for (size_t t = 0; t < taps; ++t)
          for (size_t c = 0; c < 4; ++c) weights[i * steps * lanes + t * 4 + c] = weight(i + t);
        for (size_t c = 0; c < channels; ++c) {
          int32_t sum = 1 << (kResampleBits - 1);
          for (size_t t = 0; t < taps; ++t)
            sum += in[(first[i] + t) * channels + c] * weight(i + t);
          want.push_back(finished(sum));
        }
      }
      filter_pixels(in.data(), channels, {first.data(), weights.data(), count, steps}, got.data());
      EXPECT_EQ(got, want) << channels << " channels, " << taps << " taps";
    }
  }
}

TEST(ResampleTest, AddsRowsAndFinishesThem) {
  for (const size_t count : {0, 1, 15, 16, 17, 672}) {
    std::vector<int32_t> sums(count, 1 << (kResampleBits - 1)), want = sums;
    for (size_t row = 0; row < 6; ++row) {
      const std::vector<uint8_t> in = samples(count + row);
      add_weighted(in.data(), weight(row), count, sums.data());
      for (size_t i = 0; i < count; ++i) want[i] += in[i] * weight(row);
    }
    EXPECT_EQ(sums, want);
    std::vector<uint8_t> got(count), bytes;
    for (const int32_t sum : want) bytes.push_back(finished(sum));
    finish_sums(sums.data(), count, got.data());
    EXPECT_EQ(got, bytes);
  }
}

}  // namespace
}  // namespace openclip::kernels
