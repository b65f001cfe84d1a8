#include "kernels/depthwise.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

struct Size {
  size_t height, width, channels;
};

class DepthwiseTest : public testing::TestWithParam<Size> {
 protected:
  static constexpr size_t kTaps = kDepthwiseKernel * kDepthwiseKernel;
  DepthwiseTest() {
    const auto [height, width, channels] = GetParam();
    Random random(height * 1000 + width * 100 + channels);
    x_ = random.vector(height * width * channels);
    weights_ = random.vector(kTaps * channels);
    bias_ = random.vector(channels);
    const size_t blocks = depthwise_blocks(channels);
    packed_weights_.resize(blocks * kDepthwiseTaps);
    packed_bias_.resize(blocks * kDepthwiseBlock);
    pack_depthwise(weights_.data(), bias_.data(), channels, packed_weights_.data(),
                   packed_bias_.data());
    image_ = {x_.data(), height, width, channels, packed_weights_.data(), packed_bias_.data()};
    scratch_.assign(depthwise_scratch_floats(width), 9.0f);  // of an earlier call
  }

  std::vector<float> x_, weights_, bias_, packed_weights_, packed_bias_, scratch_;
  Depthwise image_;
};

TEST_P(DepthwiseTest, MatchesReference) {
  std::vector<float> want(x_.size()), got(x_.size(), 9.0f);
  ref::depthwise_conv(
      {x_.data(), image_.height, image_.width, image_.channels, weights_.data(), bias_.data()},
      want.data());
  depthwise_conv(image_, {0, depthwise_blocks(image_.channels), 0, image_.height}, scratch_.data(),
                 got.data());
  expect_near(got, want, sum_tolerance(kTaps));
}

TEST_P(DepthwiseTest, PartsAreIndependent) {
  const size_t blocks = depthwise_blocks(image_.channels);
  std::vector<float> want(x_.size()), got(x_.size(), 9.0f);
  depthwise_conv(image_, {0, blocks, 0, image_.height}, scratch_.data(), want.data());
  for (size_t y = image_.height; y-- > 0;)
    for (size_t block = blocks; block-- > 0;)
      depthwise_conv(image_, {block, block + 1, y, y + 1}, scratch_.data(), got.data());
  EXPECT_EQ(got, want);
}

// Maps smaller than the window, around it and its halves, those of ConvNeXt (7, 8, 10, 14, 56),
// runs of uneven lengths; channels below, at and between vector lengths.
INSTANTIATE_TEST_SUITE_P(Sizes, DepthwiseTest,
                         testing::Values(Size{1, 1, 1}, Size{1, 1, 16}, Size{1, 2, 3},
                                         Size{2, 1, 5}, Size{3, 3, 8}, Size{3, 4, 7},
                                         Size{4, 3, 17}, Size{5, 6, 9}, Size{6, 5, 31},
                                         Size{7, 7, 24}, Size{7, 7, 33}, Size{8, 8, 16},
                                         Size{9, 13, 6}, Size{10, 10, 40}, Size{14, 14, 48},
                                         Size{3, 56, 20}, Size{2, 80, 12}, Size{13, 29, 19},
                                         Size{0, 5, 3}, Size{5, 0, 3}, Size{4, 4, 0}));

}  // namespace
}  // namespace openclip::kernels
