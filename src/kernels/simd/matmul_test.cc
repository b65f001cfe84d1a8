#include "kernels/matmul.h"

#include <algorithm>

#include "kernels/matmul_problem.h"

namespace openclip::kernels {
namespace {

class MatmulTest : public testing::TestWithParam<MatmulSize> {};

TEST_P(MatmulTest, MatchesReferenceWithEveryEpilogue) {
  const MatmulSize size = GetParam();
  Problem problem(size);
  const MatrixRows rows(problem.a.data(), size.k);
  for (const UnaryOp op : {UnaryOp::identity, UnaryOp::relu, UnaryOp::gelu, UnaryOp::quick_gelu}) {
    for (const bool bias : {false, true}) {
      for (const bool residual : {false, true}) {
        std::vector<float> got(size.m * size.n, 1e30f);
        const MatmulOutput to{got.data(), size.n, residual ? problem.residual.data() : nullptr,
                              size.n, op};
        matmul(2, size.m, rows, problem.packed(bias), to);
        expect_near(got, problem.want(op, bias, residual), problem.tolerance());
      }
    }
  }
}

TEST_P(MatmulTest, ResidualMayBeTheOutput) {
  const MatmulSize size = GetParam();
  Problem problem(size);
  std::vector<float> got = problem.residual;
  matmul(2, size.m, MatrixRows(problem.a.data(), size.k), problem.packed(),
         {got.data(), size.n, got.data(), size.n, UnaryOp::identity});
  expect_near(got, problem.want(UnaryOp::identity, true, true), problem.tolerance());
}

TEST_P(MatmulTest, ThreadCountDoesNotChangeTheResult) {
  const MatmulSize size = GetParam();
  Problem problem(size);
  std::vector<float> one(size.m * size.n), many(size.m * size.n);
  const MatrixRows rows(problem.a.data(), size.k);
  matmul(1, size.m, rows, problem.packed(), {one.data(), size.n, nullptr, 0, UnaryOp::gelu});
  matmul(7, size.m, rows, problem.packed(), {many.data(), size.n, nullptr, 0, UnaryOp::gelu});
  EXPECT_EQ(one, many);
}

TEST_P(MatmulTest, StridedOutputLeavesTheGapsAlone) {
  const MatmulSize size = GetParam();
  Problem problem(size);
  const size_t stride = size.n + 5;
  std::vector<float> got(size.m * stride, -7.0f);
  matmul(3, size.m, MatrixRows(problem.a.data(), size.k), problem.packed(),
         {got.data(), stride, nullptr, 0, UnaryOp::identity});
  const std::vector<float> want = problem.want(UnaryOp::identity, true, false);
  for (size_t i = 0; i < size.m; ++i) {
    for (size_t j = 0; j < stride; ++j) {
      if (j < size.n)
        ASSERT_NEAR(got[i * stride + j], want[i * size.n + j], problem.tolerance());
      else
        ASSERT_EQ(got[i * stride + j], -7.0f);
    }
  }
}

TEST_P(MatmulTest, WeightsAsStoredGiveTheSameBits) {
  const MatmulSize size = GetParam();
  Problem problem(size);
  const MatrixRows rows(problem.a.data(), size.k);
  std::vector<float> got(size.m * size.n, 1e30f), want(size.m * size.n);
  PackedMatrix b = problem.packed();
  matmul(2, size.m, rows, b, {want.data(), size.n, nullptr, 0, UnaryOp::gelu});
  b.panels = problem.w.data();
  b.stored = true;
  matmul(2, size.m, rows, b, {got.data(), size.n, nullptr, 0, UnaryOp::gelu});
  EXPECT_EQ(got, want);
}

TEST_P(MatmulTest, UntransposedWeightsPackAlike) {
  const MatmulSize size = GetParam();
  Problem problem(size);
  std::vector<float> b(size.k * size.n);
  for (size_t i = 0; i < size.n; ++i)
    for (size_t j = 0; j < size.k; ++j) b[j * size.n + i] = problem.w[i * size.k + j];
  const size_t floats = packed_bytes(PanelType::f32, size.k, size.n) / sizeof(float);
  Aligned packed(floats);
  pack_panels(PanelType::f32, {b.data(), false, size.k, size.n}, 0, panels_of(size.n),
              packed.data());
  const float* want = static_cast<const float*>(problem.packed().panels);
  EXPECT_TRUE(std::equal(want, want + floats, packed.data()));
}

// Products that share the copy of A, by rows and by panels.
TEST_P(MatmulTest, TargetsTogetherGiveTheBitsOfEachAlone) {
  const MatmulSize size = GetParam();
  Problem problem(size);
  const MatrixRows rows(problem.a.data(), size.k);
  const UnaryOp ops[] = {UnaryOp::identity, UnaryOp::gelu, UnaryOp::relu};
  std::vector<std::vector<float>> alone, together;
  std::vector<MatmulTarget> targets;
  for (const UnaryOp op : ops) {
    alone.emplace_back(size.m * size.n);
    together.emplace_back(size.m * size.n, 1e30f);
    matmul(1, size.m, rows, problem.packed(), {alone.back().data(), size.n, nullptr, 0, op});
    targets.push_back({problem.packed(), {together.back().data(), size.n, nullptr, 0, op}});
  }
  for (const int threads : {1, 2, 7}) {
    for (std::vector<float>& out : together) std::fill(out.begin(), out.end(), 1e30f);
    matmul(threads, size.m, rows, targets);
    EXPECT_EQ(together, alone) << threads;
  }
}

// More of A than threads share a copy of, so that those which split the panels each make their own.
TEST(MatmulThreadsTest, ManyLongRowsGiveTheSameBits) {
  const MatmulSize size{600, 2700, 112};
  Problem problem(size);
  std::vector<float> one(size.m * size.n), many(size.m * size.n);
  const MatrixRows rows(problem.a.data(), size.k);
  matmul(1, size.m, rows, problem.packed(), {one.data(), size.n, nullptr, 0, UnaryOp::gelu});
  for (const int threads : {2, 7}) {
    std::fill(many.begin(), many.end(), 1e30f);
    matmul(threads, size.m, rows, problem.packed(),
           {many.data(), size.n, nullptr, 0, UnaryOp::gelu});
    EXPECT_EQ(one, many);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, MatmulTest,
                         testing::Values(MatmulSize{1, 1, 1}, MatmulSize{1, 64, 16},
                                         MatmulSize{2, 3, 5}, MatmulSize{6, 16, 32},
                                         MatmulSize{7, 17, 33}, MatmulSize{13, 40, 1},
                                         MatmulSize{50, 76, 96}, MatmulSize{29, 385, 47},
                                         MatmulSize{145, 768, 40}, MatmulSize{300, 33, 65},
                                         MatmulSize{0, 8, 8}, MatmulSize{4, 8, 0},
                                         MatmulSize{5, 0, 6}),
                         size_name);

}  // namespace
}  // namespace openclip::kernels
