#include "kernels/strassen.h"

#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "kernels/matmul_problem.h"

namespace openclip::kernels {
namespace {

// Each number of the output is a sum of up to four products of k / 2 numbers, whose factors are
// sums of two.
double strassen_tolerance(size_t k) { return 4 * sum_tolerance(k / 2, 2, 2); }

std::vector<float> product(int threads, const MatmulSize& size, Problem& problem,
                           MatmulWay way = MatmulWay::strassen) {
  std::vector<float> out(size.m * size.n, 1e30f);
  matmul(threads, size.m, MatrixRows(problem.a.data(), size.k), problem.packed(),
         {out.data(), size.n, nullptr, 0, UnaryOp::gelu}, way);
  return out;
}

// Rows that do not lie in memory as they are asked for.
class CopiedRows final : public RowSource {
 public:
  explicit CopiedRows(const MatrixRows& rows) : rows_(rows) {}
  void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
            size_t stride) const noexcept override {
    rows_.copy(row_begin, rows, k_begin, k_count, to, stride);
  }

 private:
  const MatrixRows& rows_;
};

class StrassenTest : public testing::TestWithParam<MatmulSize> {
 protected:
  StrassenTest() : size(GetParam()), problem(size), rows(problem.a.data(), size.k) {}

  // As matmul() chooses: else these tests would compare sums in order with themselves.
  void SetUp() override {
    const MatmulTarget target{problem.packed(), {}};
    ASSERT_TRUE(strassen_pays(size.m, {&target, 1}));
  }

  const MatmulSize size;
  Problem problem;
  const MatrixRows rows;
};

TEST_P(StrassenTest, MatchesReferenceWithEveryEpilogue) {
  for (const UnaryOp op : {UnaryOp::identity, UnaryOp::gelu}) {
    for (const bool bias : {false, true}) {
      for (const bool residual : {false, true}) {
        std::vector<float> got(size.m * size.n, 1e30f);
        const MatmulOutput to{got.data(), size.n, residual ? problem.residual.data() : nullptr,
                              size.n, op};
        matmul(2, size.m, rows, problem.packed(bias), to, MatmulWay::strassen);
        expect_near(got, problem.want(op, bias, residual), strassen_tolerance(size.k));
      }
    }
  }
}

TEST_P(StrassenTest, ResidualMayBeTheOutput) {
  std::vector<float> got = problem.residual;
  matmul(2, size.m, rows, problem.packed(),
         {got.data(), size.n, got.data(), size.n, UnaryOp::identity}, MatmulWay::strassen);
  expect_near(got, problem.want(UnaryOp::identity, true, true), strassen_tolerance(size.k));
}

TEST_P(StrassenTest, ThreadCountDoesNotChangeTheResult) {
  const std::vector<float> one = product(1, size, problem);
  EXPECT_EQ(one, product(2, size, problem));
  EXPECT_EQ(one, product(7, size, problem));
}

TEST_P(StrassenTest, StridedOutputLeavesTheGapsAlone) {
  const size_t stride = size.n + 5;
  std::vector<float> got(size.m * stride, -7.0f);
  matmul(3, size.m, rows, problem.packed(), {got.data(), stride, nullptr, 0, UnaryOp::gelu},
         MatmulWay::strassen);
  const std::vector<float> want = product(1, size, problem);
  for (size_t i = 0; i < size.m; ++i) {
    ASSERT_TRUE(std::equal(want.begin() + static_cast<long>(i * size.n),
                           want.begin() + static_cast<long>((i + 1) * size.n),
                           got.begin() + static_cast<long>(i * stride)))
        << "row " << i;
    for (size_t j = size.n; j < stride; ++j) ASSERT_EQ(got[i * stride + j], -7.0f);
  }
}

TEST_P(StrassenTest, CopiedRowsGiveTheSameBits) {
  std::vector<float> got(size.m * size.n);
  matmul(2, size.m, CopiedRows(rows), problem.packed(),
         {got.data(), size.n, nullptr, 0, UnaryOp::gelu}, MatmulWay::strassen);
  EXPECT_EQ(got, product(1, size, problem));
}

TEST_P(StrassenTest, TargetsTogetherGiveTheBitsOfEachAlone) {
  const std::vector<float> alone = product(1, size, problem);
  std::vector<std::vector<float>> together(3, std::vector<float>(size.m * size.n));
  std::vector<MatmulTarget> targets;
  for (std::vector<float>& out : together)
    targets.push_back({problem.packed(), {out.data(), size.n, nullptr, 0, UnaryOp::gelu}});
  matmul(2, size.m, rows, targets, MatmulWay::strassen);
  for (const std::vector<float>& out : together) EXPECT_EQ(out, alone);
}

// Weights of 16 bits give the bits of the same weights in f32.
TEST_P(StrassenTest, HalvesGiveTheBitsOfFloats) {
  for (const PanelType type : {PanelType::f16, PanelType::bf16}) {
    std::vector<uint16_t> halves;
    for (float& w : problem.w) {
      halves.push_back(type == PanelType::f16 ? f32_to_f16(w) : f32_to_bf16(w));
      w = type == PanelType::f16 ? f16_to_f32(halves.back()) : bf16_to_f32(halves.back());
    }
    std::vector<std::vector<float>> results;
    for (const PanelType packing : {PanelType::f32, type}) {
      const void* data = packing == PanelType::f32 ? static_cast<const void*>(problem.w.data())
                                                   : static_cast<const void*>(halves.data());
      Aligned packed(packed_bytes(packing, size.k, size.n) / sizeof(float));
      pack_panels(packing, {data, true, size.k, size.n}, 0, panels_of(size.n), packed.data());
      PackedMatrix b = problem.packed();
      b.panels = packed.data();
      b.type = packing;
      results.emplace_back(size.m * size.n);
      matmul(2, size.m, rows, b, {results.back().data(), size.n, nullptr, 0, UnaryOp::gelu},
             MatmulWay::strassen);
    }
    EXPECT_EQ(results[0], results[1]);
  }
}

// Which rows have other bits than `before`.
std::vector<size_t> changed_rows(const MatmulSize& size, const std::vector<float>& before,
                                 const std::vector<float>& after) {
  std::vector<size_t> rows;
  for (size_t i = 0; i < size.m; ++i)
    if (std::memcmp(&before[i * size.n], &after[i * size.n], size.n * sizeof(float)) != 0)
      rows.push_back(i);
  return rows;
}

TEST_P(StrassenTest, ARowDependsOnOneOther) {
  const std::vector<float> before = product(2, size, problem);
  for (size_t j = 0; j < size.k; ++j) problem.a[26 * size.k + j] *= 3;
  EXPECT_EQ(changed_rows(size, before, product(2, size, problem)), (std::vector<size_t>{26, 32}));
}

// The last of 1088 numbers are a second block of k; 519 rows end in a group of three.
INSTANTIATE_TEST_SUITE_P(Sizes, StrassenTest,
                         testing::Values(MatmulSize{512, 32, 128}, MatmulSize{513, 512, 128},
                                         MatmulSize{519, 1088, 128}, MatmulSize{528, 768, 384}),
                         size_name);

TEST(StrassenWayTest, OtherProductsAreInOrder) {
  const MatmulSize few{511, 64, 128}, odd_depth{528, 72, 128}, odd_width{528, 64, 130};
  for (const MatmulSize& size : {few, odd_depth, odd_width}) {
    Problem problem(size);
    EXPECT_EQ(product(2, size, problem), product(2, size, problem, MatmulWay::in_order));
  }
}

TEST(StrassenWayTest, TakesPackedFloatsAlone) {
  Problem problem({528, 64, 128});
  MatmulTarget targets[] = {{problem.packed(), {}}, {problem.packed(), {}}};
  EXPECT_TRUE(strassen_pays(528, targets));
  targets[1].b.stored = true;
  EXPECT_FALSE(strassen_pays(528, targets));
  targets[1].b.stored = false;
  for (const PanelType type : {PanelType::bf16_pairs, PanelType::int8}) {
    targets[1].b.type = type;
    EXPECT_FALSE(strassen_pays(528, targets));
  }
}

}  // namespace
}  // namespace openclip::kernels
