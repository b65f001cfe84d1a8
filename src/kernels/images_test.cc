#include "kernels/images.h"

#include <string>

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

class ConvRowsTest : public testing::TestWithParam<ConvShape> {};

TEST_P(ConvRowsTest, ProductMatchesReference) {
  const ConvShape& shape = GetParam();
  const size_t count = 3, out_channels = 21;
  Random random(shape.channels);
  const std::vector<float> x = random.vector(count * shape.height * shape.width * shape.channels);
  const std::vector<float> w = random.vector(out_channels * shape.k());
  const size_t rows = count * shape.out_height() * shape.out_width();
  std::vector<float> want(rows * out_channels), got(want.size());
  ref::conv(x.data(), count, shape, w.data(), out_channels, want.data());
  Aligned packed(packed_bytes(PanelType::f32, shape.k(), out_channels) / sizeof(float));
  pack_panels(PanelType::f32, {w.data(), true, shape.k(), out_channels}, 0,
              (out_channels + panel_width() - 1) / panel_width(), packed.data());
  matmul(2, rows, ConvRows(x.data(), shape), {packed.data(), nullptr, shape.k(), out_channels},
         {got.data(), out_channels, nullptr, 0, UnaryOp::identity});
  expect_near(got, want, sum_tolerance(shape.k()));
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvRowsTest,
                         testing::Values(ConvShape{7, 7, 64, 3, 1, 1}, ConvShape{8, 6, 3, 3, 2, 1},
                                         ConvShape{9, 9, 3, 3, 2, 1}, ConvShape{5, 5, 20, 1, 1, 0},
                                         ConvShape{1, 1, 5, 3, 1, 1}, ConvShape{4, 9, 1, 3, 1, 0},
                                         ConvShape{6, 6, 2, 5, 2, 2}, ConvShape{2, 2, 7, 3, 1, 1}));

TEST(PatchRowsTest, CopiesAnyBlock) {
  // 3 pixels are left over below and 1 to the right.
  const size_t channels = 3, height = 11, width = 13, patch = 4, down = 2, across = 3, count = 2;
  const std::vector<float> x = Random(5).vector(count * channels * height * width);
  const PatchRows source(x.data(), channels, height, width, patch);
  const size_t k = channels * patch * patch, rows = count * down * across;
  const auto want = [&](size_t row, size_t column) {
    const size_t image = row / 6, top = row / 3 % 2 * patch, left = row % 3 * patch;
    const size_t channel = column / 16, dy = column / 4 % 4, dx = column % 4;
    return x[((image * channels + channel) * height + top + dy) * width + left + dx];
  };
  for (const size_t k_begin : {size_t{0}, size_t{1}, size_t{17}, size_t{47}}) {
    for (const size_t row_begin : {size_t{0}, size_t{4}}) {
      std::vector<float> got(rows * k, -9.0f);
      source.copy(row_begin, rows - row_begin, k_begin, k - k_begin, got.data(), k);
      for (size_t i = 0; i < rows - row_begin; ++i)
        for (size_t j = 0; j < k - k_begin; ++j)
          ASSERT_EQ(got[i * k + j], want(row_begin + i, k_begin + j));
    }
  }
}

TEST(AveragePoolTest, MeansOfWindows) {
  const size_t height = 5, width = 7, channels = 11, window = 2;  // a row and a column left over
  const std::vector<float> x = Random(8).vector(height * width * channels);
  std::vector<float> got(2 * 3 * channels);
  average_pool(x.data(), height, width, channels, window, got.data());
  for (size_t i = 0; i < got.size(); ++i) {
    const size_t c = i % channels, ox = i / channels % 3, oy = i / channels / 3;
    double sum = 0;
    for (size_t dy = 0; dy < window; ++dy)
      for (size_t dx = 0; dx < window; ++dx)
        sum += x[((oy * window + dy) * width + ox * window + dx) * channels + c];
    ASSERT_NEAR(got[i], sum / 4, 4 * kEps);
  }
}

TEST(ChannelsLastTest, Transposes) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  std::vector<float> got(6);
  channels_last(x.data(), 2, 3, got.data());
  EXPECT_EQ(got, (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

}  // namespace
}  // namespace openclip::kernels
