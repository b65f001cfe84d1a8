#include "kernels/batch_norm.h"

#include <algorithm>

#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

struct NormSize {
  size_t rows, width;
};

// Rows around the four that are added up at once, widths around vector lengths; every row but one
// is misaligned. Oracles are the formulas of batch_norm.h, summed in f64.
class BatchNormTest : public testing::TestWithParam<NormSize> {
 protected:
  size_t count() const { return GetParam().rows; }
  size_t width() const { return GetParam().width; }

  template <class T>
  Rows<T> rows(std::vector<float>& x) const {
    return {x.data() + 1, count(), width(), width() + 3};
  }
  std::vector<float> matrix(uint64_t seed) const {
    return Random(seed).vector(count() * (width() + 3) + 1);
  }
  std::vector<float> columns(uint64_t seed) const { return Random(seed).vector(width()); }

  // The gradient before the ReLU, by what the forward kernel made.
  double gradient(std::vector<float>& y, std::vector<float>& dy, const NormColumns& norm,
                  size_t row, size_t column) const {
    return norm.relu && rows<float>(y).row(row)[column] <= 0 ? 0 : rows<float>(dy).row(row)[column];
  }
  // Sums of as many terms as there are rows, each below 4.
  double tolerance() const { return 4 * kEps * static_cast<double>(count() + 4); }

  std::vector<float> x_ = matrix(1), dy_ = matrix(2);
  std::vector<float> scale_ = columns(3), offset_ = columns(4), mean_ = columns(5);
  NormColumns norm(bool relu) const { return {scale_.data(), offset_.data(), mean_.data(), relu}; }
};

TEST_P(BatchNormTest, MomentsAreAdded) {
  std::vector<float> sums(width(), 1.0f), squares(width(), 2.0f), want_sums = sums,
                                                                  want_squares = squares;
  column_moments(rows<const float>(x_), mean_.data(), sums.data(), squares.data());
  for (size_t j = 0; j < width(); ++j) {
    double sum = 1, square = 2;
    for (size_t i = 0; i < count(); ++i) {
      const double value = rows<float>(x_).row(i)[j] - static_cast<double>(mean_[j]);
      sum += value;
      square += value * value;
    }
    want_sums[j] = static_cast<float>(sum);
    want_squares[j] = static_cast<float>(square);
  }
  expect_near(sums, want_sums, tolerance());
  expect_near(squares, want_squares, tolerance());
}

TEST_P(BatchNormTest, Forward) {
  for (const bool relu : {false, true}) {
    std::vector<float> got = x_, want = x_;
    norm_columns(rows<const float>(x_), norm(relu), rows<float>(got));
    for (size_t i = 0; i < count(); ++i)
      for (size_t j = 0; j < width(); ++j) {
        const double y = static_cast<double>(rows<float>(x_).row(i)[j]) * scale_[j] + offset_[j];
        rows<float>(want).row(i)[j] = static_cast<float>(relu ? std::max(y, 0.0) : y);
      }
    expect_near(got, want, 2 * kEps);
  }
}

TEST_P(BatchNormTest, SumsOfTheGradient) {
  for (const bool relu : {false, true}) {
    std::vector<float> y = x_, sums(width(), 1.0f), products(width(), 2.0f);
    std::vector<float> want_sums = sums, want_products = products;
    norm_columns(rows<const float>(x_), norm(relu), rows<float>(y));
    norm_columns_sums(rows<const float>(x_), rows<const float>(dy_), norm(relu), sums.data(),
                      products.data());
    for (size_t j = 0; j < width(); ++j) {
      double sum = 1, product = 2;
      for (size_t i = 0; i < count(); ++i) {
        const double g = gradient(y, dy_, norm(relu), i, j);
        sum += g;
        product += g * (rows<float>(x_).row(i)[j] - static_cast<double>(mean_[j]));
      }
      want_sums[j] = static_cast<float>(sum);
      want_products[j] = static_cast<float>(product);
    }
    expect_near(sums, want_sums, tolerance());
    expect_near(products, want_products, tolerance());
  }
}

TEST_P(BatchNormTest, BackwardInPlace) {
  const std::vector<float> slope = columns(6), level = columns(7);
  for (const bool relu : {false, true}) {
    std::vector<float> y = x_, got = dy_, want = dy_;
    norm_columns(rows<const float>(x_), norm(relu), rows<float>(y));
    norm_columns_backward(rows<const float>(x_), rows<const float>(got), norm(relu), slope.data(),
                          level.data(), rows<float>(got));
    for (size_t i = 0; i < count(); ++i)
      for (size_t j = 0; j < width(); ++j) {
        const double centred = rows<float>(x_).row(i)[j] - static_cast<double>(mean_[j]);
        rows<float>(want).row(i)[j] = static_cast<float>(
            scale_[j] * gradient(y, dy_, norm(relu), i, j) + slope[j] * centred + level[j]);
      }
    expect_near(got, want, 8 * kEps);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, BatchNormTest,
                         testing::Values(NormSize{0, 8}, NormSize{1, 1}, NormSize{3, 5},
                                         NormSize{4, 8}, NormSize{5, 16}, NormSize{9, 17},
                                         NormSize{256, 48}, NormSize{33, 129}),
                         [](const auto& info) {
                           return std::to_string(info.param.rows) + "x" +
                                  std::to_string(info.param.width);
                         });

}  // namespace
}  // namespace openclip::kernels
