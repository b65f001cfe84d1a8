#include "tensor/linear.h"

#include <cmath>
#include <thread>
#include <utility>

#include "base/half.h"
#include "kernels/ref/ref.h"
#include "kernels/test_util.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

using kernels::Random;

class LinearTest : public testing::Test {
 protected:
  static constexpr int64_t kRows = 9, kIn = 20, kOut = 35;
  LinearTest()
      : x_(Random(1).vector(kRows * kIn)),
        weight_(Random(2).vector(kIn * kOut)),
        bias_(Random(3).vector(kOut)),
        out_(kRows * kOut) {}

  Linear packed(Precision precision = Precision::f32) const {
    return {context_, weight_, bias_, {kIn, kOut}, precision};
  }
  ConstMatrix x() const { return {x_.data(), kRows, kIn}; }
  Matrix out() { return {out_.data(), kRows, kOut}; }
  std::vector<float> want(UnaryOp op, const float* residual = nullptr) const {
    std::vector<float> result(kRows * kOut);
    kernels::ref::matmul({x_.data(), weight_.data(), bias_.data(), residual, kRows, kOut, kIn, op},
                         result.data());
    return result;
  }

  Context context_{2};
  std::vector<float> x_, weight_, bias_, out_;
};

TEST_F(LinearTest, MatchesReference) {
  linear(context_, x(), packed(), out(), {.op = UnaryOp::gelu});
  kernels::expect_near(out_, want(UnaryOp::gelu), kernels::sum_tolerance(kIn));
}

TEST_F(LinearTest, AddsTheResidual) {
  const std::vector<float> residual = Random(4).vector(kRows * kOut);
  out_ = residual;
  linear(context_, x(), packed(), out(), {.residual = out()});
  kernels::expect_near(out_, want(UnaryOp::identity, residual.data()), kernels::sum_tolerance(kIn));
}

TEST_F(LinearTest, ReadsBothLayouts) {
  std::vector<float> turned(weight_.size());
  for (int64_t i = 0; i < kIn; ++i)
    for (int64_t o = 0; o < kOut; ++o)
      turned[static_cast<size_t>(i * kOut + o)] = weight_[static_cast<size_t>(o * kIn + i)];
  linear(context_, x(), Linear(context_, turned, bias_, {kIn, kOut, Linear::Layout::in_out}),
         out());
  kernels::expect_near(out_, want(UnaryOp::identity), kernels::sum_tolerance(kIn));
}

// Weights of up to 1 are off by 2^-9 of themselves in bfloat16, and so is x where it is rounded
// too.
TEST_F(LinearTest, ComputesInBf16) {
  linear(context_, x(), packed(Precision::bf16), out());
  kernels::expect_near(out_, want(UnaryOp::identity), 2 * 0x1p-9 * std::sqrt(kIn) * 2);
}

TEST_F(LinearTest, ComputesInInt8FromFloatsAndFromBytes) {
  linear(context_, x(), packed(Precision::int8), out());
  // Half a step of each side: x has 127 or 255 steps over 2, w 127 over 1.
  kernels::expect_near(out_, want(UnaryOp::identity), (1.0 / 127 + 0.5 / 127) * std::sqrt(kIn) * 2);
  const std::vector<float> quantised = out_;
  std::vector<int8_t> bytes(weight_.size());
  std::vector<float> scales(kOut);
  kernels::quantise_columns(weight_.data(), kOut, kIn, bytes.data(), scales.data());
  StoredMatrix stored;
  stored.data = bytes.data();
  stored.count = bytes.size();
  stored.dtype = DType::i8;
  stored.scales = scales;
  linear(context_, x(), Linear(context_, stored, bias_, {kIn, kOut}, Precision::int8), out());
  EXPECT_EQ(out_, quantised);
  // In f32 from bytes: only the weights are rounded.
  linear(context_, x(), Linear(context_, stored, bias_, {kIn, kOut}), out());
  kernels::expect_near(out_, want(UnaryOp::identity), 0.5 / 127 * std::sqrt(kIn) * 2);
}

TEST_F(LinearTest, KeepsHalvesAsTheyAre) {
  std::vector<uint16_t> halves;
  for (float& value : weight_) {
    halves.push_back(f32_to_f16(value));
    value = f16_to_f32(halves.back());
  }
  StoredMatrix stored;
  stored.data = halves.data();
  stored.count = halves.size();
  stored.dtype = DType::f16;
  const Linear packed_halves(context_, stored, bias_, {kIn, kOut});
  EXPECT_EQ(packed_halves.use(context_).weights.type, kernels::PanelType::f16);
  linear(context_, x(), packed_halves, out());
  const std::vector<float> got = out_;
  linear(context_, x(), packed(), out());
  EXPECT_EQ(got, out_);
}

TEST_F(LinearTest, PacksHeldWeightsAtTheirSecondUse) {
  linear(context_, x(), packed(), out());
  const std::vector<float> want = out_;
  StoredMatrix held = weight_;
  held.holder = std::make_shared<int>();
  const std::weak_ptr<const void> holder = held.holder;
  const Linear weights(context_, std::exchange(held, {}), bias_, {kIn, kOut});
  for (int use = 0; use < 3; ++use) {
    EXPECT_EQ(holder.expired(), use == 2);
    std::fill(out_.begin(), out_.end(), 0.0f);
    linear(context_, x(), weights, out());
    EXPECT_EQ(out_, want);
  }
}

TEST_F(LinearTest, PacksHeldWeightsOnceForManyThreads) {
  linear(context_, x(), packed(), out());
  StoredMatrix held = weight_;
  held.holder = std::make_shared<int>();
  const Linear weights(context_, held, bias_, {kIn, kOut});
  std::vector<std::vector<float>> got(8, std::vector<float>(out_.size()));
  std::vector<std::thread> threads;
  for (std::vector<float>& own : got)
    threads.emplace_back([&] {
      for (int use = 0; use < 20; ++use) linear(context_, x(), weights, {own.data(), kRows, kOut});
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& own : got) EXPECT_EQ(own, out_);
}

TEST_F(LinearTest, LayersOfTheSameRowsAreTheBitsOfEachAlone) {
  for (const Precision precision : {Precision::f32, Precision::int8}) {
    const Linear first = packed(precision);
    const Linear second(context_, Random(5).vector(kIn * 50), {}, {kIn, 50}, precision);
    std::vector<float> want(kRows * 50), got(kRows * 50), got_first(out_.size());
    linear(context_, x(), first, out(), {.op = UnaryOp::gelu});
    linear(context_, x(), second, {want.data(), kRows, 50});
    linear(context_, x(),
           {{first, {got_first.data(), kRows, kOut}, UnaryOp::gelu},
            {second, {got.data(), kRows, 50}}});
    EXPECT_EQ(got_first, out_);
    EXPECT_EQ(got, want);
  }
}

TEST_F(LinearTest, NoRows) { linear(context_, {nullptr, 0, kIn}, packed(), {nullptr, 0, kOut}); }

TEST_F(LinearTest, RejectsWrongShapes) {
  const Linear weights = packed();
  EXPECT_EQ(rejection([&] {
              linear(context_, {x_.data(), kRows, kIn - 1}, weights, out());
            }),
            "[linear] x must have 20 columns (in of weight), got [9, 19]");
  EXPECT_EQ(rejection([&] {
              linear(context_, x(), weights, {out_.data(), 8, kOut});
            }),
            "[linear] out must have 9 rows (as x), got [8, 35]");
  EXPECT_EQ(rejection([&] {
              linear(context_, x(), weights, {out_.data(), kRows, 34});
            }),
            "[linear] out must have 35 columns (out of weight), got [9, 34]");
  EXPECT_EQ(rejection([&] {
              linear(context_, x(), weights, out(), {.residual = {x_.data(), 1, kOut}});
            }),
            "[linear] residual must be [9, 35] (as out), got [1, 35]");
  EXPECT_EQ(rejection([&] {
              linear(context_, x(), {{weights, out()}, {packed(Precision::int8), out()}});
            }),
            "[linear] layers of the same rows must have one precision");
  EXPECT_EQ(rejection([&] {
              Linear(context_, weight_, bias_, {kIn, kOut + 1});
            }),
            "[linear] weight must have 720 elements (in 20 x out 36), got 700");
  EXPECT_EQ(rejection([&] {
              Linear(context_, weight_, {x_.data(), 4}, {kIn, kOut});
            }),
            "[linear] bias must have 35 elements (out), got 4");
  StoredMatrix bytes;
  bytes.dtype = DType::i8;
  bytes.count = static_cast<size_t>(kIn * kOut);
  EXPECT_EQ(rejection([&] {
              Linear(context_, bytes, bias_, {kIn, kOut});
            }),
            "[linear] i8 weights, and only these, need 35 scales (out), got 0");
  EXPECT_EQ(
      rejection([&] {
        Linear(context_, weight_, bias_, {kIn, kOut, Linear::Layout::in_out}, Precision::int8);
      }),
      "[linear] [in, out] weights cannot be multiplied as bytes");
}

}  // namespace
}  // namespace openclip
