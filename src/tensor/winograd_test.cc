#include "tensor/winograd.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

struct Case {
  int64_t count, height, width, in, out;
  UnaryOp op;
};

class WinogradTest : public testing::TestWithParam<Case> {};

// Odd and even sides, sides of one pixel, channels that fill no vector, more tiles than one chunk.
INSTANTIATE_TEST_SUITE_P(
    Sizes, WinogradTest,
    testing::Values(Case{2, 9, 8, 5, 7, UnaryOp::relu}, Case{1, 1, 1, 3, 2, UnaryOp::identity},
                    Case{3, 1, 6, 8, 16, UnaryOp::relu}, Case{1, 7, 7, 40, 33, UnaryOp::gelu},
                    Case{3, 30, 29, 16, 24, UnaryOp::relu}, Case{0, 4, 4, 8, 8, UnaryOp::relu}));

// An output is the sum of 9 in products; its parts are sums of up to 4 x 4 inputs, which makes the
// error of each rounding at most four times as large.
TEST_P(WinogradTest, MatchesReferenceOnAnyNumberOfThreads) {
  const Case& c = GetParam();
  const auto rows = static_cast<size_t>(c.count * c.height * c.width);
  const auto in = static_cast<size_t>(c.in), out = static_cast<size_t>(c.out);
  std::vector<float> x = kernels::Random(1).vector(rows * in);
  const std::vector<float> w = kernels::Random(2).vector(9 * in * out);  // [out, ky, kx, in]
  const std::vector<float> bias = kernels::Random(3).vector(out);
  std::vector<double> turned(w.size());  // [out, in, ky, kx]
  for (size_t o = 0; o < out; ++o)
    for (size_t tap = 0; tap < 9; ++tap)
      for (size_t i = 0; i < in; ++i) turned[(o * in + i) * 9 + tap] = w[(o * 9 + tap) * in + i];
  std::vector<float> want(rows * out), first;
  const kernels::ConvShape shape{
      static_cast<size_t>(c.height), static_cast<size_t>(c.width), in, 3, 1, 1};
  kernels::ref::conv(x.data(), static_cast<size_t>(c.count), shape, w.data(), out, want.data());
  for (size_t i = 0; i < want.size(); ++i) want[i] += bias[i % out];
  kernels::unary_inplace(c.op, want.data(), want.size());

  const std::vector<double> wide_bias(bias.begin(), bias.end());
  const Images images{{x.data(), static_cast<int64_t>(rows), c.in}, c.count, c.height, c.width};
  Workspace workspace;
  for (const int threads : {1, 2, 3, 40}) {
    std::vector<float> got(want.size());
    const Images to{{got.data(), static_cast<int64_t>(rows), c.out}, c.count, c.height, c.width};
    const Context context(threads);
    winograd_conv(context, workspace, images, {context, turned, wide_bias, c.in, c.out}, c.op, to);
    kernels::expect_near(got, want, 4 * kernels::sum_tolerance(9 * in));
    if (threads == 1) first = got;
    EXPECT_EQ(got, first);
  }
}

TEST(Winograd, AnImageIsTheSameInEveryCompany) {
  constexpr int64_t kSide = 7, kIn = 12, kOut = 20, kCount = 20;
  std::vector<float> x = kernels::Random(4).vector(kCount * kSide * kSide * kIn);
  const std::vector<float> random = kernels::Random(5).vector(9 * kIn * kOut);
  const std::vector<double> w(random.begin(), random.end()), bias(kOut);
  const Context context(2);
  const WinogradWeights weights(context, w, bias, kIn, kOut);
  Workspace workspace;
  const auto run = [&](int64_t first, int64_t count) {
    std::vector<float> out(static_cast<size_t>(count * kSide * kSide * kOut));
    winograd_conv(
        context, workspace,
        {{x.data() + first * kSide * kSide * kIn, count * kSide * kSide, kIn}, count, kSide, kSide},
        weights, UnaryOp::relu, {{out.data(), count * kSide * kSide, kOut}, count, kSide, kSide});
    return out;
  };
  const std::vector<float> all = run(0, kCount), one = run(13, 1);
  EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + 13 * kSide * kSide * kOut));
}

TEST(Winograd, RejectsWrongShapes) {
  const Context context(1);
  std::vector<double> w(9 * 6), bias(3);
  std::vector<float> x(16 * 2), out(16 * 3);
  EXPECT_EQ(rejection([&] { WinogradWeights(context, w, bias, 3, 3); }),
            "[winograd_conv] weight must have 81 elements (out 3 x in 3 x 3 x 3), got 54");
  EXPECT_EQ(rejection([&] { WinogradWeights(context, w, {}, 2, 3); }),
            "[winograd_conv] bias must have 3 elements (out), got 0");
  const WinogradWeights weights(context, w, bias, 2, 3);
  Workspace workspace;
  const Images images{{x.data(), 16, 2}, 1, 4, 4}, fits{{out.data(), 16, 3}, 1, 4, 4};
  EXPECT_EQ(
      rejection([&] { winograd_conv(context, workspace, fits, weights, UnaryOp::relu, fits); }),
      "[winograd_conv] weights are for 2 to 3 channels, got 3 to 3");
  EXPECT_EQ(rejection([&] {
              winograd_conv(context, workspace, images, weights, UnaryOp::relu,
                            {{out.data(), 12, 3}, 1, 4, 3});
            }),
            "[winograd_conv] out must be dense, of the size of x and in another place");
}

}  // namespace
}  // namespace openclip
