// Products with weights of 16 and 8 bits.
#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/half.h"
#include "kernels/isa.h"
#include "kernels/matmul_problem.h"

namespace openclip::kernels {
namespace {

// Random operands, and the weights packed as `type` from elements of T.
class NarrowProblem {
 public:
  explicit NarrowProblem(MatmulSize size)
      : size(size), random(size.m * 31 + size.k * 7 + size.n), bias_(padded()), scales_(padded()) {
    a = random.vector(size.m * size.k);
    w = random.vector(size.n * size.k, 0.3f);
    residual = random.vector(size.m * size.n);
    std::fill(bias_.data(), bias_.data() + padded(), 0.0f);
    std::fill(scales_.data(), scales_.data() + padded(), 0.0f);
    for (size_t i = 0; i < size.n; ++i) bias_.data()[i] = random.next();
  }

  template <class T>
  PackedMatrix pack(PanelType type, const std::vector<T>& elements, bool transposed = true) {
    panels_ = std::make_unique<Aligned>(packed_bytes(type, size.k, size.n) / sizeof(float) + 1);
    sums_ = std::make_unique<Aligned>(int8_sum_floats(size.k, size.n));
    pack_panels(type, {elements.data(), transposed, size.k, size.n}, 0, panels_of(size.n),
                panels_->data());
    if (type == PanelType::int8)
      sum_panels(panels_->data(), size.k, size.n, 0, panels_of(size.n), sums_->data());
    return {panels_->data(), bias_.data(), size.k, size.n, type, scales_.data(), sums_->data()};
  }

  std::vector<float> multiply(const PackedMatrix& b, UnaryOp op, int threads = 2) {
    std::vector<float> got(size.m * size.n, 1e30f);
    matmul(threads, size.m, MatrixRows(a.data(), size.k), b,
           {got.data(), size.n, residual.data(), size.n, op});
    return got;
  }

  std::vector<float> want(const std::vector<float>& left, const std::vector<float>& weights,
                          UnaryOp op) {
    std::vector<float> out(size.m * size.n);
    ref::matmul(
        {left.data(), weights.data(), bias_.data(), residual.data(), size.m, size.n, size.k, op},
        out.data());
    return out;
  }

  std::vector<int8_t> quantise() {
    std::vector<int8_t> q(w.size());
    quantise_columns(w.data(), size.n, size.k, q.data(), scales_.data());
    return q;
  }

  std::vector<float> want_quantised(const std::vector<int8_t>& q, UnaryOp op) {
    std::vector<float> out(size.m * size.n);
    ref::quantised_matmul({a.data(), q.data(), scales_.data(), bias_.data(), residual.data(),
                           size.m, size.n, size.k, int8_blocks(size.k), int8_steps(), op},
                          out.data());
    return out;
  }

  const float* scales() { return scales_.data(); }

  MatmulSize size;
  Random random;
  std::vector<float> a, w, residual;

 private:
  size_t padded() const { return panels_of(size.n) * panel_width(); }

  Aligned bias_, scales_;
  std::unique_ptr<Aligned> panels_, sums_;
};

std::vector<uint16_t> halves(const std::vector<float>& values, uint16_t (*round)(float)) {
  std::vector<uint16_t> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(), round);
  return out;
}

std::vector<float> floats(const std::vector<uint16_t>& values, float (*widen)(uint16_t)) {
  std::vector<float> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(), widen);
  return out;
}

class NarrowMatmulTest : public testing::TestWithParam<MatmulSize> {};

TEST_P(NarrowMatmulTest, HalfWeightsAreTheirFloats) {
  NarrowProblem problem(GetParam());
  const auto check = [&](PanelType type, const std::vector<uint16_t>& bits,
                         const std::vector<float>& values) {
    for (const UnaryOp op : {UnaryOp::identity, UnaryOp::gelu})
      expect_near(problem.multiply(problem.pack(type, bits), op),
                  problem.want(problem.a, values, op), sum_tolerance(problem.size.k));
    PackedMatrix b = problem.pack(type, bits);
    const std::vector<float> halves_product = problem.multiply(b, UnaryOp::identity);
    b.panels = bits.data();
    b.stored = true;
    EXPECT_EQ(halves_product, problem.multiply(b, UnaryOp::identity));
    EXPECT_EQ(halves_product,
              problem.multiply(problem.pack(PanelType::f32, values), UnaryOp::identity));
  };
  const std::vector<uint16_t> f16 = halves(problem.w, f32_to_f16);
  const std::vector<uint16_t> bf16 = halves(problem.w, f32_to_bf16);
  check(PanelType::f16, f16, floats(f16, openclip::f16_to_f32));
  check(PanelType::bf16, bf16, floats(bf16, openclip::bf16_to_f32));
}

TEST_P(NarrowMatmulTest, PairsRoundBothSides) {
  if (!dot_products().bf16) GTEST_SKIP() << "no bfloat16 products here";
  NarrowProblem problem(GetParam());
  const std::vector<uint16_t> weights = halves(problem.w, f32_to_bf16);
  const std::vector<float> left = floats(halves(problem.a, f32_to_bf16), openclip::bf16_to_f32);
  for (const UnaryOp op : {UnaryOp::identity, UnaryOp::quick_gelu})
    expect_near(problem.multiply(problem.pack(PanelType::bf16_pairs, weights), op),
                problem.want(left, floats(weights, openclip::bf16_to_f32), op),
                sum_tolerance(problem.size.k));
}

TEST_P(NarrowMatmulTest, BytesMatchReference) {
  NarrowProblem problem(GetParam());
  const std::vector<int8_t> q = problem.quantise();
  for (const UnaryOp op : {UnaryOp::identity, UnaryOp::gelu})
    expect_near(problem.multiply(problem.pack(PanelType::int8, q), op),
                problem.want_quantised(q, op), sum_tolerance(problem.size.k));
}

// Each of k products is off by at most half a step of either side.
TEST_P(NarrowMatmulTest, BytesAreNearTheFloats) {
  NarrowProblem problem(GetParam());
  const PackedMatrix b = problem.pack(PanelType::int8, problem.quantise());
  const double step_a = 2.0 / int8_steps(), step_w = 0.3 / 127;
  const double each = 0.5 * (step_a * 0.3 + step_w) + step_a * step_w;
  expect_near(problem.multiply(b, UnaryOp::identity),
              problem.want(problem.a, problem.w, UnaryOp::identity),
              5 * each * std::sqrt(static_cast<double>(problem.size.k) + 1));
}

TEST_P(NarrowMatmulTest, ThreadCountDoesNotChangeTheResult) {
  NarrowProblem problem(GetParam());
  for (const PanelType type : {PanelType::bf16_pairs, PanelType::int8}) {
    if (type == PanelType::bf16_pairs && !dot_products().bf16) continue;
    const PackedMatrix b = type == PanelType::int8
                               ? problem.pack(type, problem.quantise())
                               : problem.pack(type, halves(problem.w, f32_to_bf16));
    EXPECT_EQ(problem.multiply(b, UnaryOp::gelu, 1), problem.multiply(b, UnaryOp::gelu, 7));
  }
}

TEST_P(NarrowMatmulTest, UntransposedWeightsPackAlike) {
  NarrowProblem problem(GetParam());
  const MatmulSize size = problem.size;
  const std::vector<uint16_t> weights = halves(problem.w, f32_to_bf16);
  std::vector<uint16_t> turned(weights.size());
  for (size_t i = 0; i < size.n; ++i)
    for (size_t j = 0; j < size.k; ++j) turned[j * size.n + i] = weights[i * size.k + j];
  for (const PanelType type : {PanelType::bf16, PanelType::bf16_pairs}) {
    if (type == PanelType::bf16_pairs && !dot_products().bf16) continue;
    EXPECT_EQ(problem.multiply(problem.pack(type, weights), UnaryOp::identity),
              problem.multiply(problem.pack(type, turned, false), UnaryOp::identity));
  }
}

TEST(PairsMatmulTest, RefusedWithoutTheInstruction) {
  if (dot_products().bf16) GTEST_SKIP() << "this processor has it";
  NarrowProblem problem({2, 3, 4});
  const PackedMatrix b = problem.pack(PanelType::bf16_pairs, halves(problem.w, f32_to_bf16));
  EXPECT_THROW(problem.multiply(b, UnaryOp::identity), Unsupported);
}

INSTANTIATE_TEST_SUITE_P(Sizes, NarrowMatmulTest,
                         testing::Values(MatmulSize{1, 1, 1}, MatmulSize{1, 64, 16},
                                         MatmulSize{2, 3, 5}, MatmulSize{6, 16, 32},
                                         MatmulSize{7, 17, 33}, MatmulSize{13, 42, 1},
                                         MatmulSize{50, 76, 96}, MatmulSize{29, 1031, 47},
                                         MatmulSize{145, 770, 40}, MatmulSize{300, 33, 65},
                                         MatmulSize{26, 3072, 70}, MatmulSize{0, 8, 8},
                                         MatmulSize{4, 8, 0}, MatmulSize{5, 0, 6}),
                         size_name);

// The extremes of both sides: pairs of products must not overflow.
TEST(Int8MatmulTest, HoldsTheLargestValues) {
  NarrowProblem problem({3, 3072, 20});
  std::fill(problem.a.begin(), problem.a.end(), 1.0f);
  std::fill(problem.w.begin(), problem.w.end(), -2.0f);
  std::fill(problem.residual.begin(), problem.residual.end(), 0.0f);
  const std::vector<int8_t> q = problem.quantise();
  EXPECT_EQ(q[0], -127);
  const std::vector<float> got =
      problem.multiply(problem.pack(PanelType::int8, q), UnaryOp::identity);
  expect_near(got, problem.want(problem.a, problem.w, UnaryOp::identity), 6144 * 1e-5);
}

TEST(QuantiseColumnsTest, RoundsToNearestOfTheRow) {
  const std::vector<float> w = {1, -2, 0.5f, 127, 0, 0, 0, 0, -1e-3f, 1e-3f, 5e-4f, 4e-6f};
  std::vector<int8_t> q(w.size());
  std::vector<float> scales(3);
  quantise_columns(w.data(), 3, 4, q.data(), scales.data());
  EXPECT_EQ(q, (std::vector<int8_t>{1, -2, 0, 127, 0, 0, 0, 0, -127, 127, 64, 1}));
  EXPECT_FLOAT_EQ(scales[0], 1);
  EXPECT_FLOAT_EQ(scales[1], 1);
  EXPECT_FLOAT_EQ(scales[2], 1e-3f / 127);
}

}  // namespace
}  // namespace openclip::kernels
