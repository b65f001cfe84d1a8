#include "tensor/conv.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

class ConvTest : public testing::Test {
 protected:
  static constexpr int64_t kCount = 2, kSize = 9, kIn = 5, kOut = 7;
  ConvTest() : x_(kernels::Random(1).vector(kCount * kSize * kSize * kIn)) {}
  Images x() { return {{x_.data(), kCount * kSize * kSize, kIn}, kCount, kSize, kSize}; }

  Context context_{2};
  std::vector<float> x_;
};

TEST_F(ConvTest, MatchesReference) {
  for (const ConvOptions& options :
       {ConvOptions{.kernel = 1}, ConvOptions{.kernel = 3, .padding = 1},
        ConvOptions{.kernel = 3, .stride = 2, .padding = 1}}) {
    const auto k = static_cast<size_t>(options.kernel * options.kernel * kIn);
    const std::vector<float> w = kernels::Random(k).vector(k * kOut);
    const kernels::ConvShape shape{kSize,
                                   kSize,
                                   kIn,
                                   static_cast<size_t>(options.kernel),
                                   static_cast<size_t>(options.stride),
                                   static_cast<size_t>(options.padding)};
    const int64_t size = conv_out_size(kSize, options);
    const int64_t rows = kCount * size * size;
    std::vector<float> got(static_cast<size_t>(rows * kOut)), want = got;
    kernels::ref::conv(x_.data(), kCount, shape, w.data(), kOut, want.data());
    conv2d(context_, x(), Linear(context_, w, {}, {static_cast<int64_t>(k), kOut}), options,
           {{got.data(), rows, kOut}, kCount, size, size});
    kernels::expect_near(got, want, kernels::sum_tolerance(k));
  }
}

TEST_F(ConvTest, RejectsWrongShapes) {
  std::vector<float> w(45 * kOut), out(kCount * kSize * kSize * kOut);
  const Linear weights(context_, w, {}, {45, kOut});
  const Images fits{{out.data(), kCount * kSize * kSize, kOut}, kCount, kSize, kSize};
  EXPECT_EQ(rejection([&] { conv2d(context_, x(), weights, {.kernel = 1}, fits); }),
            "[conv2d] weights must have 5 inputs (kernel^2 x channels), got 45");
  EXPECT_EQ(rejection([&] { conv2d(context_, x(), weights, {.kernel = 3}, fits); }),
            "[conv2d] images must be dense [2, 7, 7, 7], got [2, 9, 9, 7] in [162, 7]");
  EXPECT_EQ(rejection([&] { conv_out_size(2, {.kernel = 5, .padding = 1}); }),
            "[conv2d] a kernel of 5 (padding 1) does not fit 2 pixels");
}

TEST_F(ConvTest, DepthwiseMatchesReferenceOnAnyNumberOfThreads) {
  constexpr size_t kTaps = 49, kArea = kSize * kSize;
  const std::vector<float> w = kernels::Random(2).vector(kIn * kTaps);  // [channels, 1, 7, 7]
  const std::vector<float> bias = kernels::Random(3).vector(kIn);
  std::vector<float> want(x_.size());
  for (size_t i = 0; i < kCount; ++i)
    kernels::ref::depthwise_conv({&x_[i * kArea * kIn], kSize, kSize, kIn, w.data(), bias.data()},
                                 &want[i * kArea * kIn]);
  Workspace workspace;
  for (const int threads : {1, 2, 3, 18}) {
    std::vector<float> got(x_.size());
    const Images out{{got.data(), kCount * kSize * kSize, kIn}, kCount, kSize, kSize};
    depthwise_conv(Context(threads), workspace, x(), DepthwiseWeights(w, bias, kIn), out);
    kernels::expect_near(got, want, kernels::sum_tolerance(kTaps));
  }
}

// Two outputs of each channel, every second pixel of an odd and an even side.
TEST_F(ConvTest, DepthwiseWithStrideAndMoreOutputsThanChannels) {
  constexpr size_t kTaps = 49, kHeight = 9, kWidth = 8, kOut = 2 * kIn;
  const std::vector<float> x = kernels::Random(4).vector(kCount * kHeight * kWidth * kIn);
  const std::vector<float> w = kernels::Random(5).vector(kOut * kTaps);
  const std::vector<float> bias = kernels::Random(6).vector(kOut);
  std::vector<float> wide, all(kCount * kHeight * kWidth * kOut), want;
  for (const float value : x) wide.insert(wide.end(), 2, value);
  for (size_t i = 0; i < kCount; ++i) {
    const size_t first = i * kHeight * kWidth * kOut;
    kernels::ref::depthwise_conv({&wide[first], kHeight, kWidth, kOut, w.data(), bias.data()},
                                 &all[first]);
    for (size_t y = 0; y < kHeight; y += 2)
      for (size_t column = 0; column < kWidth; column += 2) {
        const float* pixel = &all[first + (y * kWidth + column) * kOut];
        want.insert(want.end(), pixel, pixel + kOut);
      }
  }
  std::vector<float> got(want.size()), from = x;
  Workspace workspace;
  const Images in{{from.data(), kCount * kHeight * kWidth, kIn}, kCount, kHeight, kWidth};
  const Images out{{got.data(), kCount * 5 * 4, kOut}, kCount, 5, 4};
  depthwise_conv(Context(2), workspace, in, DepthwiseWeights(w, bias, kOut), out, 2);
  kernels::expect_near(got, want, kernels::sum_tolerance(kTaps));
  EXPECT_THROW(depthwise_conv(Context(1), workspace, in, DepthwiseWeights(w, bias, kOut), out),
               InvalidArgument);
}

TEST_F(ConvTest, DepthwiseRejectsWrongShapes) {
  const std::vector<float> w(kIn * 49), bias(kIn);
  std::vector<float> out(x_.size());
  EXPECT_EQ(rejection([&] { DepthwiseWeights(w, bias, 4); }),
            "[depthwise_conv] weight must have 196 elements (channels 4 x 7 x 7), got 245");
  EXPECT_EQ(rejection([&] { DepthwiseWeights(w, {}, kIn); }),
            "[depthwise_conv] bias must have 5 elements (channels), got 0");
  const DepthwiseWeights weights(w, bias, kIn);
  Workspace workspace;
  EXPECT_EQ(rejection([&] { depthwise_conv(context_, workspace, x(), weights, x()); }),
            "[depthwise_conv] out must hold 2 images (as x) in another place, got 2");
  EXPECT_EQ(rejection([&] {
              depthwise_conv(context_, workspace, x(), weights,
                             {{out.data(), kCount * 9 * 8, kIn}, kCount, 9, 8});
            }),
            "[depthwise_conv] images must be dense [2, 9, 9, 5], got [2, 9, 8, 5] in [144, 5]");
}

TEST_F(ConvTest, PoolsEachImage) {
  std::vector<float> got(kCount * 4 * 4 * kIn), want(got.size());
  average_pool(context_, x(), 2, {{got.data(), kCount * 16, kIn}, kCount, 4, 4});
  for (size_t i = 0; i < kCount; ++i)
    kernels::average_pool(&x_[i * kSize * kSize * kIn], kSize, kSize, kIn, 2, &want[i * 16 * kIn]);
  EXPECT_EQ(got, want);
  EXPECT_THROW(average_pool(context_, x(), 3, {{got.data(), kCount * 16, kIn}, kCount, 4, 4}),
               InvalidArgument);
}

}  // namespace
}  // namespace openclip
