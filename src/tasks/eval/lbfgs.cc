#include "tasks/eval/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>

namespace openclip {
namespace {

using Vector = std::vector<double>;
using Function = std::function<double(const Vector& x, Vector& gradient)>;

constexpr double kDecrease = 1e-4;  // share of the promised decrease that a step must bring
constexpr double kCurvature = 0.9;  // share of the slope that may remain after it
constexpr double kNoise = 1e-6;     // relative, of a function that is computed in f32
constexpr int kMaxHalvings = 60;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add_scaled(Vector& to, double scale, const Vector& what) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += scale * what[i];
}

double largest_entry(const Vector& v) {
  double largest = 0;
  for (const double x : v) largest = std::max(largest, std::abs(x));
  return largest;
}

struct Pair {
  Vector step, change;
  double inverse;  // 1 / (step . change)
};

// -(approximate inverse Hessian) gradient, by the two-loop recursion.
Vector direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector q = gradient;
  Vector alphas(pairs.size());
  for (size_t i = pairs.size(); i-- > 0;) {
    alphas[i] = pairs[i].inverse * dot(pairs[i].step, q);
    add_scaled(q, -alphas[i], pairs[i].change);
  }
  if (!pairs.empty()) {
    const Pair& last = pairs.back();
    const double scale = 1 / (last.inverse * dot(last.change, last.change));
    for (double& x : q) x *= scale;
  }
  for (size_t i = 0; i < pairs.size(); ++i)
    add_scaled(q, alphas[i] - pairs[i].inverse * dot(pairs[i].change, q), pairs[i].step);
  for (double& x : q) x = -x;
  return q;
}

struct Point {
  Vector x, gradient;
  double value = 0;
};

// The point a suitable step along `along` from `from`; false where none is found, which happens
// where the function is flat to the last bit.
bool line_search(const Function& evaluate, const Point& from, const Vector& along, double step,
                 Point& to) {
  const double slope = dot(from.gradient, along);
  if (!(slope < 0)) return false;
  double low = 0, high = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kMaxHalvings; ++i) {
    to.x = from.x;
    add_scaled(to.x, step, along);
    to.value = evaluate(to.x, to.gradient);
    const double slope_there = dot(to.gradient, along);
    const bool decreases = to.value <= from.value + kDecrease * step * slope;
    // Near the minimum the decrease drowns in the value's noise; the slopes still tell.
    const bool flattens = to.value <= from.value + kNoise * std::abs(from.value) &&
                          slope_there <= (2 * kDecrease - 1) * slope;
    if (!(decreases || flattens))
      high = step;
    else if (slope_there < kCurvature * slope)
      low = step;
    else
      return true;
    step = std::isinf(high) ? 2 * low : (low + high) / 2;
  }
  return to.value < from.value;
}

}  // namespace

LbfgsResult minimize_lbfgs(Vector& x, const Function& evaluate, const LbfgsOptions& options) {
  Point now, next;
  now.x = x;
  now.gradient.resize(x.size());
  next.gradient.resize(x.size());
  now.value = evaluate(now.x, now.gradient);
  std::deque<Pair> pairs;
  LbfgsResult result;
  while (!(result.converged = largest_entry(now.gradient) <= options.tolerance) &&
         result.iterations < options.max_iterations) {
    const Vector along = direction(pairs, now.gradient);
    // Without curvature known, a step of length at most 1.
    const double step =
        pairs.empty() ? std::min(1.0, 1 / std::sqrt(dot(now.gradient, now.gradient))) : 1.0;
    if (!line_search(evaluate, now, along, step, next)) {
      if (pairs.empty()) break;
      pairs.clear();  // once more, straight downhill
      continue;
    }
    ++result.iterations;
    Pair pair{next.x, next.gradient, 0};
    add_scaled(pair.step, -1, now.x);
    add_scaled(pair.change, -1, now.gradient);
    const double curvature = dot(pair.step, pair.change);
    if (curvature > 0) {
      pair.inverse = 1 / curvature;
      pairs.push_back(std::move(pair));
      if (static_cast<int>(pairs.size()) > options.history) pairs.pop_front();
    }
    std::swap(now, next);
  }
  x = now.x;
  return result;
}

}  // namespace openclip
