#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/error.h"
#include "tasks/eval/evaluate.h"
#include "tasks/eval/logistic_regression.h"

namespace openclip {
namespace {

// CLIP's paper, A.3: log-spaced strengths, coarse first, then halving steps around the best.
constexpr double kLowest = -6, kHighest = 6;  // powers of ten
constexpr int kSteps = 96;
constexpr int kFirstStep = 16;

struct Samples {
  std::vector<float> features;
  std::vector<int32_t> targets;
};

Samples pick(const EncodedDataset& from, std::span<const size_t> rows, int64_t dim) {
  Samples out;
  for (const size_t row : rows) {
    const auto begin = from.features.begin() + static_cast<int64_t>(row) * dim;
    out.features.insert(out.features.end(), begin, begin + dim);
    out.targets.push_back(from.samples[row].target);
  }
  return out;
}

// Rows of each class in a random order that depends on the seed alone.
std::vector<std::vector<size_t>> shuffled_classes(const EncodedDataset& set, size_t classes,
                                                  uint64_t seed) {
  std::vector<std::vector<size_t>> rows(classes);
  for (size_t i = 0; i < set.samples.size(); ++i) rows[set.samples[i].target].push_back(i);
  std::mt19937_64 random(seed);
  for (std::vector<size_t>& list : rows)
    for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[random() % i]);
  return rows;
}

class Probe {
 public:
  Probe(const Context& context, int64_t dim, const EvalDataset& dataset,
        const LinearProbeOptions& options)
      : context_(context),
        dim_(dim),
        classes_(static_cast<int32_t>(dataset.classes.size())),
        options_(options) {}

  LinearProbe fit(const Samples& samples, double c) const {
    return fit_logistic_regression(context_, samples.features, dim_, samples.targets, classes_,
                                   {.c = c, .max_iterations = options_.max_iterations});
  }

  ClassificationMetrics measure(const LinearProbe& probe, const Samples& samples) const {
    const std::vector<float> scores = probe_scores(context_, probe, samples.features, dim_);
    std::vector<int64_t> ranks;
    const size_t classes = static_cast<size_t>(classes_);
    for (size_t i = 0; i < samples.targets.size(); ++i)
      ranks.push_back(rank_of(std::span<const float>(scores).subspan(i * classes, classes),
                              static_cast<size_t>(samples.targets[i])));
    return classification_metrics(ranks, samples.targets, classes_);
  }

  double choose_c(const Samples& train, const Samples& held_out) const {
    const auto strength = [](int step) {
      return std::pow(10.0, kLowest + (kHighest - kLowest) * step / kSteps);
    };
    std::vector<double> known(kSteps + 1, -1);
    const auto accuracy = [&](int step) {
      if (known[step] < 0) known[step] = measure(fit(train, strength(step)), held_out).acc1.value;
      return known[step];
    };
    int best = 0;
    const auto try_step = [&](int step) {
      if (step >= 0 && step <= kSteps && accuracy(step) > accuracy(best)) best = step;
    };
    for (int step = 0; step <= kSteps; step += kFirstStep) try_step(step);
    for (int step = kFirstStep / 2; step > 0; step /= 2) {
      const int centre = best;
      try_step(centre - step);
      try_step(centre + step);
    }
    return strength(best);
  }

 private:
  const Context& context_;
  int64_t dim_;
  int32_t classes_;
  const LinearProbeOptions& options_;
};

void check_datasets(const EvalDataset& train, const EvalDataset& test) {
  for (const EvalDataset* dataset : {&train, &test})
    check_arg(dataset->kind == EvalKind::classification,
              "{}: a linear probe needs one class for each picture", dataset->name);
  check_arg(train.classes == test.classes, "the training pictures' classes are not those of {}",
            test.name);
}

}  // namespace

EvalResult evaluate_linear_probe(const Context& context, const Model& model, EvalDataset& train,
                                 EvalDataset& test, const LinearProbeOptions& options,
                                 const EvalListener& listener) {
  check_datasets(train, test);
  const int64_t dim = model.config().embed_dim;
  const EncodedDataset train_set = encode_dataset(context, model, *train.samples, listener);
  const EncodedDataset test_set = encode_dataset(context, model, *test.samples, listener);
  if (train_set.samples.empty() || test_set.samples.empty())
    throw NotFound("a data set has no sample that can be read");
  auto rows = shuffled_classes(train_set, train.classes.size(), options.seed);
  std::vector<size_t> fitted, all, held_out;
  for (size_t c = 0; c < rows.size(); ++c) {
    const size_t shots = static_cast<size_t>(options.shots);
    check_arg(rows[c].size() >= std::max<size_t>(shots, options.c > 0 ? 0 : 2),
              "{}: the class '{}' has only {} training pictures", train.name, train.classes[c],
              rows[c].size());
    if (shots > 0) rows[c].resize(shots);
    const size_t held = std::max<size_t>(1, rows[c].size() / 5);
    all.insert(all.end(), rows[c].begin(), rows[c].end());
    if (options.c > 0) continue;
    held_out.insert(held_out.end(), rows[c].begin(), rows[c].begin() + static_cast<long>(held));
    fitted.insert(fitted.end(), rows[c].begin() + static_cast<long>(held), rows[c].end());
  }
  std::vector<size_t> every_test(test_set.samples.size());
  std::iota(every_test.begin(), every_test.end(), size_t{0});

  const Probe probe(context, dim, train, options);
  const double c =
      options.c > 0 ? options.c
                    : probe.choose_c(pick(train_set, fitted, dim), pick(train_set, held_out, dim));
  const ClassificationMetrics metrics =
      probe.measure(probe.fit(pick(train_set, all, dim), c), pick(test_set, every_test, dim));
  EvalResult result;
  result.task = "linear_probe";
  result.samples = static_cast<int64_t>(test_set.samples.size());
  result.skipped = train_set.skipped + test_set.skipped;
  result.metrics = {{"lp_acc1", metrics.acc1},
                    {"lp_acc5", metrics.acc5},
                    {"lp_mean_per_class_recall", metrics.mean_per_class_recall},
                    {"c", {c, c, c}}};
  return result;
}

}  // namespace openclip
