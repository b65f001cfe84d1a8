#include "kernels/rows.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

// Widths around vector lengths, the towers' own, and odd ones; the stride misaligns every row.
class RowsTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr size_t kCount = 5;
  size_t width() const { return GetParam(); }
  size_t stride() const { return width() + 3; }
  template <class T>
  Rows<T> rows(std::vector<float>& x) const {
    return {x.data() + 1, kCount, width(), stride()};
  }
  std::vector<float> input(float scale) {
    return Random(width()).vector(kCount * stride() + 8, scale);
  }
};

TEST_P(RowsTest, LayerNorm) {
  Random random(7);
  const std::vector<float> weight = random.vector(width()), bias = random.vector(width());
  std::vector<float> x = input(3);
  for (float& value : x) value += 20;  // a mean far from zero must not cancel
  std::vector<float> got = x, want = x;
  layer_norm(rows<const float>(x), weight.data(), bias.data(), 1e-5f, rows<float>(got));
  ref::layer_norm(rows<const float>(x), weight.data(), bias.data(), 1e-5, rows<float>(want));
  // x - mean is exact to eps * 23, divided by a deviation of about 1.7; one element alone has
  // variance 0 and shows eps * 23 / sqrt(1e-5).
  expect_near(got, want, width() < 4 ? 23 * kEps / std::sqrt(1e-5) : 64 * kEps);
}

TEST_P(RowsTest, LayerNormInPlace) {
  const std::vector<float> ones(width(), 1.0f), zeros(width(), 0.0f);
  std::vector<float> x = input(1), want = x;
  layer_norm(rows<const float>(x), ones.data(), zeros.data(), 1e-6f, rows<float>(want));
  layer_norm(rows<const float>(x), ones.data(), zeros.data(), 1e-6f, rows<float>(x));
  EXPECT_EQ(x, want);
}

TEST_P(RowsTest, Softmax) {
  std::vector<float> got = input(30), want = got;
  softmax_inplace(rows<float>(got));
  ref::softmax_inplace(rows<float>(want));
  expect_near(got, want, 16 * kEps);
}

TEST_P(RowsTest, L2Normalise) {
  std::vector<float> got = input(5), want = got;
  l2_normalise_inplace(rows<float>(got));
  ref::l2_normalise_inplace(rows<float>(want));
  expect_near(got, want, 16 * kEps * 8);
}

TEST_P(RowsTest, MeanOfRows) {
  std::vector<float> x = input(1), got(width(), 9.0f), want(width());
  const Rows<const float> view = rows<const float>(x);
  for (size_t i = 0; i < width(); ++i)
    for (size_t r = 0; r < kCount; ++r) want[i] += view.row(r)[i] / kCount;
  mean_of_rows(view, got.data());
  expect_near(got, want, 8 * kEps);
}

TEST_P(RowsTest, AddRows) {
  std::vector<float> x = input(1), y = Random(3).vector(x.size()), got = x;
  add_rows(rows<const float>(x), rows<const float>(y), rows<float>(got));
  for (size_t r = 0; r < kCount; ++r)
    for (size_t i = 0; i < width(); ++i)
      ASSERT_EQ(rows<float>(got).row(r)[i], rows<float>(x).row(r)[i] + rows<float>(y).row(r)[i]);
}

INSTANTIATE_TEST_SUITE_P(Widths, RowsTest,
                         testing::Values(0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 80, 257,
                                         768));

TEST(RowsZeroTest, NoRowsTouchNothing) {
  std::vector<float> x(4, 1.0f), ones(4, 1.0f);
  softmax_inplace({x.data(), 0, 4, 4});
  l2_normalise_inplace({x.data(), 0, 4, 4});
  layer_norm({x.data(), 0, 4, 4}, ones.data(), ones.data(), 1e-5f, {x.data(), 0, 4, 4});
  EXPECT_EQ(x, ones);
  mean_of_rows({x.data(), 0, 4, 4}, x.data());
  EXPECT_EQ(x, std::vector<float>(4, 0.0f));
}

TEST(RowsZeroTest, ZeroVectorStaysZero) {
  std::vector<float> x(9, 0.0f);
  l2_normalise_inplace({x.data(), 1, 9, 9});
  EXPECT_EQ(x, std::vector<float>(9, 0.0f));
}

}  // namespace
}  // namespace openclip::kernels
