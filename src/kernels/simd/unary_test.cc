#include "kernels/unary.h"

#include <cmath>

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

struct UnaryCase {
  const char* name;
  UnaryOp op;
};

class UnaryTest : public testing::TestWithParam<UnaryCase> {};

// Every value within a few roundings of |x| (the factor beside x is at most 1 and computed to
// about 3e-7, see vec_gelu and vec_exp).
TEST_P(UnaryTest, MatchesReference) {
  std::vector<float> x;
  for (float v = -12; v < 12; v += 0.0137f) x.push_back(v);
  for (const float v : {-1000.0f, -88.0f, 0.0f, -0.0f, 1e-20f, 1e-4f, 88.0f, 1000.0f})
    x.push_back(v);
  std::vector<float> got = x;
  unary_inplace(GetParam().op, got.data(), got.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = ref::unary(GetParam().op, x[i]);
    ASSERT_NEAR(got[i], want, 4 * kEps * std::abs(x[i]) + 1e-30) << "x = " << x[i];
  }
}

TEST(UnaryNanTest, StaysNan) {
  for (const UnaryOp op : {UnaryOp::gelu, UnaryOp::gelu_tanh, UnaryOp::quick_gelu}) {
    std::vector<float> x(9, std::nanf(""));
    unary_inplace(op, x.data(), x.size());
    for (const float value : x) EXPECT_TRUE(std::isnan(value)) << static_cast<int>(op);
  }
}

TEST_P(UnaryTest, AnyCountAndAlignment) {
  Random random(1);
  const std::vector<float> x = random.vector(80, 4);
  for (size_t offset = 0; offset < 5; ++offset) {
    for (size_t count = 0; count < 70; ++count) {
      std::vector<float> got = x;
      unary_inplace(GetParam().op, got.data() + offset, count);
      for (size_t i = 0; i < x.size(); ++i) {
        const bool inside = i >= offset && i < offset + count;
        const double want = inside ? ref::unary(GetParam().op, x[i]) : x[i];
        ASSERT_NEAR(got[i], want, 16 * kEps) << "offset " << offset << " count " << count;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, UnaryTest,
                         testing::Values(UnaryCase{"identity", UnaryOp::identity},
                                         UnaryCase{"relu", UnaryOp::relu},
                                         UnaryCase{"gelu", UnaryOp::gelu},
                                         UnaryCase{"gelu_tanh", UnaryOp::gelu_tanh},
                                         UnaryCase{"quick_gelu", UnaryOp::quick_gelu}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace openclip::kernels
