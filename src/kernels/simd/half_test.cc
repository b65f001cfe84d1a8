#include "kernels/half.h"

#include <bit>
#include <cstring>

#include "base/half.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

// All 65536 values, from an odd address; NaNs need only stay NaN.
template <class Vector, class Scalar>
void check_all(const Vector& vector, const Scalar& scalar) {
  std::vector<uint8_t> bytes(2 * 65536 + 1);
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    std::memcpy(&bytes[1 + 2 * i], &bits, 2);
  }
  std::vector<float> got(65536);
  vector(bytes.data() + 1, got.size(), got.data());
  for (uint32_t i = 0; i < 65536; ++i) {
    const float want = scalar(static_cast<uint16_t>(i));
    if (std::isnan(want))
      ASSERT_TRUE(std::isnan(got[i])) << i;
    else
      ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(want)) << i;
  }
}

TEST(HalfTest, EveryFloat16) {
  check_all([](auto... args) { f16_to_f32(args...); },
            [](uint16_t bits) { return openclip::f16_to_f32(bits); });
}

TEST(HalfTest, EveryBfloat16) {
  check_all([](auto... args) { bf16_to_f32(args...); },
            [](uint16_t bits) { return openclip::bf16_to_f32(bits); });
}

TEST(HalfTest, AnyCount) {
  std::vector<uint8_t> bytes(2 * 40, 0x3F);
  for (size_t count = 0; count < 40; ++count) {
    std::vector<float> got(41, -1.0f);
    bf16_to_f32(bytes.data(), count, got.data());
    EXPECT_EQ(got[count], -1.0f);
    if (count > 0) {
      EXPECT_EQ(got[count - 1], openclip::bf16_to_f32(0x3F3F));
    }
  }
}

}  // namespace
}  // namespace openclip::kernels
