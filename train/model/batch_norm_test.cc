#include "model/batch_norm.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace openclip::train {
namespace {

// Against PyTorch's own batch_norm and relu in f64.
class TrainBatchNorm : public testing::TestWithParam<std::vector<int64_t>> {
 protected:
  static at::Tensor drawn(at::IntArrayRef shape, double mean, double deviation) {
    return at::randn(shape, at::kDouble) * deviation + mean;
  }
  // As the towers have them: f32 leaves, pictures channels-last.
  static at::Tensor leaf(const at::Tensor& x) {
    const at::Tensor y = x.to(at::kFloat);
    return (x.dim() == 4 ? y.contiguous(at::MemoryFormat::ChannelsLast) : y.clone())
        .set_requires_grad(true);
  }
  static double distance(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kDouble) - b).abs().max().item<double>();
  }
};

TEST_P(TrainBatchNorm, EqualsPyTorch) {
  at::manual_seed(5);
  const int64_t channels = GetParam()[1];
  // A mean far from 0 must not cancel.
  const at::Tensor x = leaf(drawn(GetParam(), 30, 2)), weight = leaf(drawn({channels}, 0, 1)),
                   bias = leaf(drawn({channels}, 0, 1)), upstream = drawn(GetParam(), 0, 1);
  for (const bool relu : {false, true}) {
    const at::Tensor mean = at::ones({channels}), variance = at::full({channels}, 2.0);
    const at::Tensor want_mean = mean.to(at::kDouble), want_variance = variance.to(at::kDouble);
    const at::Tensor got =
        batch_norm(x, {weight, bias, mean, variance}, BatchNormMode::batch_update, relu);
    const auto exact = [](const at::Tensor& t) {
      return t.detach().to(at::kDouble).set_requires_grad(true);
    };
    const at::Tensor x64 = exact(x), weight64 = exact(weight), bias64 = exact(bias);
    at::Tensor want =
        at::batch_norm(x64, weight64, bias64, want_mean, want_variance, true, 0.1, 1e-5, false);
    if (relu) want = at::relu(want);
    // x has 24 bits of 32: its distance to the mean is exact to 2e-6, a millionth of the deviation.
    EXPECT_LT(distance(got, want), 5e-6);
    EXPECT_LT(distance(mean, want_mean), 5e-6);
    EXPECT_LT(distance(variance, want_variance), 5e-6);
    got.backward(upstream.to(at::kFloat));
    want.backward(upstream);
    EXPECT_LT(distance(x.grad(), x64.grad()), 5e-6);
    // Sums over pixels, each exact to a millionth.
    const double sums = 1e-6 * static_cast<double>(x.numel() / channels) + 5e-6;
    EXPECT_LT(distance(weight.grad(), weight64.grad()), sums);
    EXPECT_LT(distance(bias.grad(), bias64.grad()), sums);
    for (const at::Tensor& t : {x, weight, bias}) t.mutable_grad().reset();
  }
}

// Layers of the towers; channels that vectors hold two or four pixels of; odd counts of pixels, of
// which they hold one; more than one block of rows.
INSTANTIATE_TEST_SUITE_P(
    Shapes, TrainBatchNorm,
    testing::Values(std::vector<int64_t>{2, 24, 8, 8}, std::vector<int64_t>{4, 12, 9, 16},
                    std::vector<int64_t>{3, 5, 3, 3}, std::vector<int64_t>{16, 64, 1, 1},
                    std::vector<int64_t>{7, 40, 13, 11}, std::vector<int64_t>{1, 12, 63, 33}));

// Without running statistics, with kept ones, of another layout and type.
TEST(TrainBatchNormTest, OtherCasesAreComputedToo) {
  at::manual_seed(6);
  const at::Tensor x = at::randn({3, 6, 4, 4}), weight = at::randn({6}), bias = at::randn({6});
  const BatchNorm kept{weight, bias, at::randn({6}), at::rand({6}) + 0.5};
  const at::Tensor want = at::relu(at::batch_norm(x, weight, bias, {}, {}, true, 0.1, 1e-5, false));
  const BatchNorm bare{weight, bias};
  EXPECT_TRUE(at::allclose(batch_norm(x, bare, BatchNormMode::batch, true), want));
  const at::Tensor last = x.contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::allclose(batch_norm(last, bare, BatchNormMode::batch, true), want, 1e-5, 1e-6));
  const auto running = [&](const at::Tensor& pixels) {
    return batch_norm(pixels, kept, BatchNormMode::running, false);
  };
  EXPECT_TRUE(at::allclose(running(last), running(x), 1e-5, 1e-6));
  EXPECT_TRUE(
      at::allclose(batch_norm(x.to(at::kDouble), {weight.to(at::kDouble), bias.to(at::kDouble)},
                              BatchNormMode::batch, true),
                   want.to(at::kDouble), 1e-5, 1e-6));
}

// The sums are the same for every number of threads.
TEST(TrainBatchNormTest, ThreadsDoNotMatter) {
  const at::Tensor x = at::randn({6, 24, 20, 20}).contiguous(at::MemoryFormat::ChannelsLast);
  const BatchNorm norm{at::randn({24}), at::randn({24})};
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone = batch_norm(x, norm, BatchNormMode::batch, true);
  at::set_num_threads(3);
  EXPECT_TRUE(at::equal(batch_norm(x, norm, BatchNormMode::batch, true), alone));
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace openclip::train
