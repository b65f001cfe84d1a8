// Limited-memory BFGS for smooth convex functions. Rank 5.
#pragma once

#include <functional>
#include <vector>

namespace openclip {

struct LbfgsOptions {
  int max_iterations = 1000;
  int history = 10;         // pairs of steps and gradient changes that are kept
  double tolerance = 1e-5;  // stops where no entry of the gradient is larger
};

struct LbfgsResult {
  int iterations = 0;
  bool converged = false;
};

/// Moves `x` towards the minimum of a function. `evaluate` gives the function's value at x and
/// fills the gradient (of x's length). Steps satisfy the weak Wolfe conditions, found by bisection.
/// Source: Nocedal and Wright, Numerical Optimization, algorithm 7.5; Lewis and Overton (2013) for
/// the line search; Hager and Zhang (2005) for its approximate condition.
LbfgsResult minimize_lbfgs(std::vector<double>& x,
                           const std::function<double(const std::vector<double>& x,
                                                      std::vector<double>& gradient)>& evaluate,
                           const LbfgsOptions& options = {});

}  // namespace openclip
