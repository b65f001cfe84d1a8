#include "tensor/layer_norm.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

TEST(LayerNormTest, MatchesReferenceOverThreads) {
  const int64_t rows = 300, width = 200;
  const std::vector<float> x = kernels::Random(1).vector(rows * width);
  const std::vector<float> weight = kernels::Random(2).vector(width);
  const std::vector<float> bias = kernels::Random(3).vector(width);
  std::vector<float> got(x.size()), want(x.size());
  layer_norm(Context(3), {x.data(), rows, width}, weight, bias, 1e-5f, {got.data(), rows, width});
  kernels::ref::layer_norm(ConstMatrix(x.data(), rows, width), weight.data(), bias.data(), 1e-5,
                           Matrix(want.data(), rows, width));
  kernels::expect_near(got, want, 32 * kernels::kEps);
}

TEST(LayerNormTest, ZeroSizes) {
  layer_norm(Context(1), {nullptr, 0, 4}, std::vector<float>(4), std::vector<float>(4), 1e-5f,
             {nullptr, 0, 4});
  layer_norm(Context(1), {nullptr, 3, 0}, {}, {}, 1e-5f, {nullptr, 3, 0});
}

TEST(LayerNormTest, RejectsWrongShapes) {
  std::vector<float> x(12), short_weight(3), weight(4);
  const Matrix matrix(x.data(), 3, 4);
  const Context context(1);
  EXPECT_EQ(rejection([&] { layer_norm(context, matrix, short_weight, weight, 1e-5f, matrix); }),
            "[layer_norm] weight must have 4 elements (last dim of x), got [3]");
  EXPECT_EQ(rejection([&] { layer_norm(context, matrix, weight, short_weight, 1e-5f, matrix); }),
            "[layer_norm] bias must have 4 elements (last dim of x), got [3]");
  EXPECT_EQ(rejection([&] {
              layer_norm(context, matrix, weight, weight, 1e-5f, {x.data(), 2, 4});
            }),
            "[layer_norm] out must be [3, 4] (as x), got [2, 4]");
}

}  // namespace
}  // namespace openclip
