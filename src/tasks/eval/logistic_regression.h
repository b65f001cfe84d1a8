// Multinomial logistic regression on features: the linear probe. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"

namespace openclip {

struct LogisticRegressionOptions {
  double c = 1;  // inverse strength of the L2 penalty, as scikit-learn's C
  int max_iterations = 1000;
  double tolerance = 1e-5;  // stops where no gradient entry of the mean loss is larger
};

/// A linear classifier: scores = x W^T + b.
struct LinearProbe {
  std::vector<float> weights;  // [classes, dim]
  std::vector<float> bias;     // [classes]
  int iterations = 0;
  bool converged = false;
};

/// Minimises mean_i(-log softmax(x_i W^T + b)[target_i]) + |W|^2 / (2 c n) by L-BFGS; the bias has
/// no penalty. The minimum is scikit-learn's LogisticRegression(C=c) of three classes and more
/// (with two, scikit-learn trains one vector in place of two). features: [n, dim]; targets: [n], in
/// [0, classes). The result does not depend on the number of threads. Throws: InvalidArgument where
/// lengths or targets do not fit.
LinearProbe fit_logistic_regression(const Context& context, std::span<const float> features,
                                    int64_t dim, std::span<const int32_t> targets, int32_t classes,
                                    const LogisticRegressionOptions& options = {});

/// Scores [n, classes] of features [n, dim].
std::vector<float> probe_scores(const Context& context, const LinearProbe& probe,
                                std::span<const float> features, int64_t dim);

}  // namespace openclip
