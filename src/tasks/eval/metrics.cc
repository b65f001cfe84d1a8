#include "tasks/eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "base/error.h"

namespace openclip {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kZ95 = 1.959963984540054;  // the normal distribution's 97.5 % quantile
constexpr int kResamples = 1000;

// Mean over the classes that occur of hits / pictures.
class ClassRecalls {
 public:
  explicit ClassRecalls(int32_t classes) : hits_(classes), counts_(classes) {}

  void clear() {
    std::fill(hits_.begin(), hits_.end(), 0);
    std::fill(counts_.begin(), counts_.end(), 0);
  }
  void add(int32_t target, bool hit) {
    hits_[target] += hit;
    ++counts_[target];
  }
  double mean() const {
    double sum = 0;
    int occurring = 0;
    for (size_t c = 0; c < counts_.size(); ++c) {
      if (counts_[c] == 0) continue;
      sum += static_cast<double>(hits_[c]) / static_cast<double>(counts_[c]);
      ++occurring;
    }
    return occurring == 0 ? kNan : sum / occurring;
  }

 private:
  std::vector<int64_t> hits_, counts_;
};

Estimate mean_recall(std::span<const int64_t> ranks, std::span<const int32_t> targets,
                     int32_t classes) {
  ClassRecalls recalls(classes);
  for (size_t i = 0; i < ranks.size(); ++i) recalls.add(targets[i], ranks[i] == 0);
  Estimate out{recalls.mean(), kNan, kNan};
  if (ranks.empty()) return out;
  std::mt19937_64 random(0);
  std::vector<double> resampled(kResamples);
  for (double& value : resampled) {
    recalls.clear();
    for (size_t n = 0; n < ranks.size(); ++n) {
      const size_t i = random() % ranks.size();
      recalls.add(targets[i], ranks[i] == 0);
    }
    value = recalls.mean();
  }
  std::sort(resampled.begin(), resampled.end());
  out.low = resampled[kResamples * 25 / 1000];
  out.high = resampled[kResamples * 975 / 1000 - 1];
  return out;
}

double average_precision(std::span<const float> scores, std::span<const uint8_t> targets,
                         int32_t classes, int32_t c) {
  const size_t n = scores.size() / static_cast<size_t>(classes);
  const auto at = [&](size_t i) {
    return i * static_cast<size_t>(classes) + static_cast<size_t>(c);
  };
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[at(a)] > scores[at(b)]; });
  double sum = 0;
  int64_t found = 0;
  for (size_t seen = 0; seen < n; ++seen) {
    if (targets[at(order[seen])] == 0) continue;
    ++found;
    sum += static_cast<double>(found) / static_cast<double>(seen + 1);
  }
  return sum / static_cast<double>(std::max<int64_t>(found, 1));
}

}  // namespace

Estimate proportion(int64_t hits, int64_t n) {
  if (n == 0) return {kNan, kNan, kNan};
  const double count = static_cast<double>(n);
  const double p = static_cast<double>(hits) / count;
  const double z2 = kZ95 * kZ95;
  const double centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const double half =
      kZ95 * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count)) / (1 + z2 / count);
  return {p, std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

int64_t rank_of(std::span<const float> scores, size_t index) {
  const float score = scores[index];
  int64_t rank = 0;
  for (size_t i = 0; i < index; ++i) rank += scores[i] >= score;
  for (size_t i = index + 1; i < scores.size(); ++i) rank += scores[i] > score;
  return rank;
}

ClassificationMetrics classification_metrics(std::span<const int64_t> ranks,
                                             std::span<const int32_t> targets, int32_t classes) {
  check_arg(ranks.size() == targets.size(), "[classification_metrics] {} ranks for {} targets",
            ranks.size(), targets.size());
  for (const int32_t target : targets)
    check_arg(target >= 0 && target < classes,
              "[classification_metrics] target {} is none of {} classes", target, classes);
  const auto hits = [&](int64_t k) {
    return std::count_if(ranks.begin(), ranks.end(), [k](int64_t rank) { return rank < k; });
  };
  const int64_t n = static_cast<int64_t>(ranks.size());
  ClassificationMetrics out;
  out.acc1 = proportion(hits(1), n);
  out.acc5 = classes >= 5 ? proportion(hits(5), n) : Estimate{kNan, kNan, kNan};
  out.mean_per_class_recall = mean_recall(ranks, targets, classes);
  return out;
}

double mean_average_precision(std::span<const float> scores, std::span<const uint8_t> targets,
                              int32_t classes) {
  check_arg(classes > 0 && scores.size() == targets.size() &&
                scores.size() % static_cast<size_t>(classes) == 0,
            "[mean_average_precision] {} scores and {} targets for {} classes", scores.size(),
            targets.size(), classes);
  double sum = 0;
  for (int32_t c = 0; c < classes; ++c) sum += average_precision(scores, targets, classes, c);
  return sum / classes;
}

}  // namespace openclip
