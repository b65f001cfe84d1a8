#include "kernels/similarity.h"

#include <cstring>

#include "base/half.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

// Stored rows, aligned to their elements and no more, and what they mean.
struct Stored {
  std::vector<uint8_t> bytes;
  std::vector<float> values;
  size_t offset = 0;
  const uint8_t* rows() const { return bytes.data() + offset; }
};

Stored stored_rows(DType dtype, size_t count, uint64_t seed) {
  Random random(seed);
  const size_t size = dtype_size(dtype);
  Stored stored{std::vector<uint8_t>((count + 1) * size), {}, size};
  for (size_t i = 0; i < count; ++i) {
    float value = random.next();
    if (dtype == DType::f32) {
      std::memcpy(&stored.bytes[(i + 1) * size], &value, size);
    } else if (dtype == DType::f16) {
      const uint16_t bits = openclip::f32_to_f16(value);
      std::memcpy(&stored.bytes[(i + 1) * size], &bits, size);
      value = openclip::f16_to_f32(bits);
    } else {
      const auto byte = static_cast<int8_t>(value * 127);
      std::memcpy(&stored.bytes[(i + 1) * size], &byte, size);
      value = byte;
    }
    stored.values.push_back(value);
  }
  return stored;
}

class SimilarityTest : public testing::TestWithParam<DType> {};

TEST_P(SimilarityTest, DotRowsOfAnySize) {
  const double largest = GetParam() == DType::i8 ? 127 : 1;
  for (const size_t dim : {0, 1, 7, 16, 31, 33, 64, 100, 512}) {
    for (const size_t count : {0, 1, 3, 4, 9}) {
      const Stored stored = stored_rows(GetParam(), dim * count, dim + count);
      const std::vector<float> query = Random(7).vector(dim);
      std::vector<float> got(count + 1, -1.0f), want(count + 1, -1.0f);
      for (size_t i = 0; i < count; ++i) {
        double sum = 0;
        for (size_t j = 0; j < dim; ++j) sum += double{query[j]} * stored.values[i * dim + j];
        want[i] = static_cast<float>(sum);
      }
      dot_rows(query.data(), dim, GetParam(), stored.rows(), count, got.data());
      expect_near(got, want, sum_tolerance(dim, 1, largest));
    }
  }
}

TEST_P(SimilarityTest, SumOfARowDoesNotDependOnItsNeighbours) {
  constexpr size_t kDim = 100, kCount = 7;
  const Stored stored = stored_rows(GetParam(), kDim * kCount, 3);
  const std::vector<float> query = Random(8).vector(kDim);
  std::vector<float> together(kCount), alone(kCount), apart(kCount);
  std::vector<const uint8_t*> backwards;
  dot_rows(query.data(), kDim, GetParam(), stored.rows(), kCount, together.data());
  for (size_t i = 0; i < kCount; ++i) {
    const uint8_t* row = stored.rows() + i * kDim * dtype_size(GetParam());
    dot_rows(query.data(), kDim, GetParam(), row, 1, &alone[i]);
    backwards.insert(backwards.begin(), row);
  }
  dot_scattered(query.data(), kDim, GetParam(), backwards.data(), kCount, apart.data());
  EXPECT_EQ(together, alone);
  EXPECT_EQ(together, std::vector<float>(apart.rbegin(), apart.rend()));
}

TEST_P(SimilarityTest, StoredRowsAreCopiedAsFloats) {
  constexpr size_t kDim = 50, kRows = 6;
  const Stored stored = stored_rows(GetParam(), kDim * kRows, 4);
  std::vector<float> got(2 * 40, -1.0f);
  StoredRows(GetParam(), stored.rows(), kDim).copy(3, 2, 11, 37, got.data(), 40);
  for (size_t i = 0; i < 2; ++i) {
    for (size_t j = 0; j < 37; ++j)
      ASSERT_EQ(got[i * 40 + j], stored.values[(3 + i) * kDim + 11 + j]) << i << " " << j;
    EXPECT_EQ(got[i * 40 + 37], -1.0f);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, SimilarityTest, testing::Values(DType::f32, DType::f16, DType::i8));

TEST(FindAboveTest, FindsEveryPositionInOrder) {
  for (size_t count = 0; count < 70; ++count) {
    const std::vector<float> scores = Random(count).vector(count);
    const std::vector<float> limits = Random(count + 100).vector(count);
    std::vector<uint32_t> one, each, found(count + 1);
    for (uint32_t i = 0; i < count; ++i) {
      if (scores[i] > 0.25f) one.push_back(i);
      if (scores[i] > limits[i]) each.push_back(i);
    }
    found.resize(find_above(scores.data(), count, 0.25f, found.data()));
    EXPECT_EQ(found, one);
    found.resize(count + 1);
    found.resize(find_above_each(scores.data(), count, limits.data(), found.data()));
    EXPECT_EQ(found, each);
  }
}

TEST(FindAboveTest, EqualToTheLimitIsNotAbove) {
  const std::vector<float> scores(20, 0.5f);
  std::vector<uint32_t> found(20);
  EXPECT_EQ(find_above(scores.data(), scores.size(), 0.5f, found.data()), 0u);
}

}  // namespace
}  // namespace openclip::kernels
