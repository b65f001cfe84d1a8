#include "kernels/onednn/matmul.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels::onednn {
namespace {

TEST(OneDnnMatmulTest, MatchesReference) {
  const size_t m = 23, k = 70, n = 45;
  Random random(4);
  const std::vector<float> a = random.vector(m * k), w = random.vector(n * k);
  const std::vector<float> bias = random.vector(n), residual = random.vector(m * n);
  const Matmul product(w.data(), bias.data(), k, n, m);
  for (const UnaryOp op :
       {UnaryOp::identity, UnaryOp::relu, UnaryOp::gelu, UnaryOp::gelu_tanh, UnaryOp::quick_gelu}) {
    std::vector<float> want(m * n), got = residual;
    ref::matmul({a.data(), w.data(), bias.data(), residual.data(), m, n, k, op}, want.data());
    product.run(2, m, a.data(), k, {got.data(), n, got.data(), n, op});
    expect_near(got, want, sum_tolerance(k));
  }
}

}  // namespace
}  // namespace openclip::kernels::onednn
