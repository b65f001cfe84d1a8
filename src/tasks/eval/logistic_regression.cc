#include "tasks/eval/logistic_regression.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "tasks/eval/lbfgs.h"
#include "tensor/linear.h"

namespace openclip {
namespace {

// The penalised mean loss and its gradient. Parameters: W [classes, dim], then b [classes]. Both
// products read the features, packed once each: logits^T = W X^T and gradient = P^T X.
class Objective {
 public:
  Objective(const Context& context, std::span<const float> features, int64_t dim,
            std::span<const int32_t> targets, int32_t classes, double c)
      : context_(context),
        dim_(dim),
        n_(static_cast<int64_t>(targets.size())),
        classes_(classes),
        penalty_(1 / (c * static_cast<double>(n_))),
        targets_(targets),
        samples_(context, features, {}, {dim, n_}),
        axes_(context, features, {}, {n_, dim, Linear::Layout::in_out}),
        weights_(static_cast<size_t>(classes * dim)),
        product_(weights_.size()),
        logits_(static_cast<size_t>(classes * n_)),
        losses_(targets.size()) {}

  double operator()(const std::vector<double>& x, std::vector<double>& gradient) {
    std::copy_n(x.begin(), weights_.size(), weights_.begin());
    linear(context_, {weights_.data(), classes_, dim_}, samples_, {logits_.data(), classes_, n_});
    residuals(x.data() + weights_.size());
    linear(context_, {logits_.data(), classes_, n_}, axes_, {product_.data(), classes_, dim_});
    double loss = 0, squares = 0;
    for (const double value : losses_) loss += value;
    const double scale = 1 / static_cast<double>(n_);
    for (size_t i = 0; i < weights_.size(); ++i) {
      gradient[i] = scale * product_[i] + penalty_ * x[i];
      squares += x[i] * x[i];
    }
    for (int64_t k = 0; k < classes_; ++k) {
      double sum = 0;
      for (int64_t i = 0; i < n_; ++i) sum += logits_[k * n_ + i];
      gradient[weights_.size() + k] = scale * sum;
    }
    return scale * loss + penalty_ / 2 * squares;
  }

 private:
  // Turns logits_ [classes, n] into softmax - one-hot and fills the losses.
  void residuals(const double* bias) {
    parallel_for(
        context_.threads(), static_cast<size_t>(n_), 256, [&](size_t begin, size_t end, int) {
          std::vector<double> row(static_cast<size_t>(classes_));
          for (size_t i = begin; i < end; ++i) {
            for (int64_t k = 0; k < classes_; ++k) row[k] = logits_[k * n_ + i] + bias[k];
            const double most = *std::max_element(row.begin(), row.end());
            const double own = row[targets_[i]] - most;
            double sum = 0;
            for (double& value : row) sum += value = std::exp(value - most);
            losses_[i] = std::log(sum) - own;
            for (int64_t k = 0; k < classes_; ++k)
              logits_[k * n_ + i] = static_cast<float>(row[k] / sum - (k == targets_[i] ? 1 : 0));
          }
        });
  }

  Context context_;
  int64_t dim_, n_, classes_;
  double penalty_;
  std::span<const int32_t> targets_;
  Linear samples_, axes_;
  std::vector<float> weights_, product_, logits_;
  std::vector<double> losses_;
};

}  // namespace

LinearProbe fit_logistic_regression(const Context& context, std::span<const float> features,
                                    int64_t dim, std::span<const int32_t> targets, int32_t classes,
                                    const LogisticRegressionOptions& options) {
  check_arg(dim > 0 && !targets.empty() && features.size() == targets.size() * dim,
            "[fit_logistic_regression] {} numbers of dim {} for {} targets", features.size(), dim,
            targets.size());
  check_arg(options.c > 0, "[fit_logistic_regression] c must be above 0, got {}", options.c);
  for (const int32_t target : targets)
    check_arg(target >= 0 && target < classes,
              "[fit_logistic_regression] target {} is none of {} classes", target, classes);
  Objective objective(context, features, dim, targets, classes, options.c);
  std::vector<double> x(static_cast<size_t>(classes) * (dim + 1));
  const LbfgsResult result =
      minimize_lbfgs(x, [&](const auto& at, auto& gradient) { return objective(at, gradient); },
                     {.max_iterations = options.max_iterations, .tolerance = options.tolerance});
  LinearProbe probe;
  probe.weights.assign(x.begin(), x.end() - classes);
  probe.bias.assign(x.end() - classes, x.end());
  probe.iterations = result.iterations;
  probe.converged = result.converged;
  return probe;
}

std::vector<float> probe_scores(const Context& context, const LinearProbe& probe,
                                std::span<const float> features, int64_t dim) {
  const int64_t classes = static_cast<int64_t>(probe.bias.size());
  const int64_t n = static_cast<int64_t>(features.size()) / dim;
  std::vector<float> scores(static_cast<size_t>(n * classes));
  linear(context, {features.data(), n, dim},
         Linear(context, probe.weights, probe.bias, {dim, classes}), {scores.data(), n, classes});
  return scores;
}

}  // namespace openclip
