// Random inputs and tolerances of the kernel tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <vector>

namespace openclip::kernels {

inline constexpr double kEps = std::numeric_limits<float>::epsilon();

/// Uniform in [-1, 1); xorshift, so that every platform sees the same numbers.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  float next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<float>(static_cast<double>(state_ >> 11) * 0x1p-52 - 1.0);
  }
  std::vector<float> vector(size_t count, float scale = 1) {
    std::vector<float> values(count);
    for (float& value : values) value = scale * next();
    return values;
  }

 private:
  uint64_t state_;
};

/// Of a product [m, k] x [k, n].
struct MatmulSize {
  size_t m, k, n;
};

/// The name of a test of that size.
inline std::string size_name(const testing::TestParamInfo<MatmulSize>& info) {
  return std::to_string(info.param.m) + "x" + std::to_string(info.param.k) + "x" +
         std::to_string(info.param.n);
}

/// 64-byte aligned floats, as kernels ask for packed data and scratch.
class Aligned {
 public:
  explicit Aligned(size_t count)
      : data_(static_cast<float*>(
            ::operator new ((count + 16) * sizeof(float), std::align_val_t{64}))) {}
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  ~Aligned() { ::operator delete (data_, std::align_val_t{64}); }
  float* data() { return data_; }

 private:
  float* data_;
};

/// Every element within `tolerance` of the expected one; reports the first that is not.
inline void expect_near(const std::vector<float>& got, const std::vector<float>& want,
                        double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i], tolerance) << "element " << i;
}

/// Bound of the rounding error of a sum of `count` products of numbers up to `a` and `b`: each of
/// the `count` additions rounds a partial sum that grows like a random walk; 8 is the safety
/// factor.
inline double sum_tolerance(size_t count, double a = 1, double b = 1) {
  const double n = static_cast<double>(count) + 4;
  return 8 * kEps * a * b * std::sqrt(n) * (1 + std::sqrt(n) / 16);
}

}  // namespace openclip::kernels
