#include "tasks/eval/lbfgs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace openclip {
namespace {

TEST(LbfgsTest, FindsTheMinimumOfAnIllConditionedQuadratic) {
  // sum a_i (x_i - i)^2 with a_i from 1 to 1e4
  std::vector<double> x(20, 0);
  const LbfgsResult result =
      minimize_lbfgs(x,
                     [](const std::vector<double>& at, std::vector<double>& gradient) {
                       double value = 0;
                       for (size_t i = 0; i < at.size(); ++i) {
                         const double a = std::pow(10, 4.0 * static_cast<double>(i) / 19);
                         const double d = at[i] - static_cast<double>(i);
                         value += a * d * d;
                         gradient[i] = 2 * a * d;
                       }
                       return value;
                     },
                     {.tolerance = 1e-8});
  EXPECT_TRUE(result.converged);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], static_cast<double>(i), 1e-8);
}

TEST(LbfgsTest, GetsThroughRosenbrocksValley) {
  std::vector<double> x = {-1.2, 1};
  const LbfgsResult result =
      minimize_lbfgs(x, [](const std::vector<double>& at, std::vector<double>& gradient) {
        const double a = 1 - at[0], b = at[1] - at[0] * at[0];
        gradient = {-2 * a - 400 * at[0] * b, 200 * b};
        return a * a + 100 * b * b;
      });
  EXPECT_TRUE(result.converged);
  EXPECT_LT(result.iterations, 60);
  EXPECT_NEAR(x[0], 1, 1e-4);
}

TEST(LbfgsTest, StopsAtTheLimitAndAtAFlatFunction) {
  std::vector<double> x = {5};
  const auto square = [](const std::vector<double>& at, std::vector<double>& gradient) {
    gradient = {4 * at[0] * at[0] * at[0]};
    return at[0] * at[0] * at[0] * at[0];
  };
  EXPECT_EQ(minimize_lbfgs(x, square, {.max_iterations = 2, .tolerance = 0}).iterations, 2);
  const auto flat = [](const std::vector<double>&, std::vector<double>& gradient) {
    gradient = {1};  // a slope that the value does not have
    return 0.0;
  };
  EXPECT_FALSE(minimize_lbfgs(x, flat).converged);
}

}  // namespace
}  // namespace openclip
