// What evaluations measure, from ranks and scores; the definitions are CLIP_benchmark's. Rank 5.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace openclip {

/// A measured share with its 95 % confidence interval. A metric that is not defined (top-5 of fewer
/// than five classes) is NaN throughout.
struct Estimate {
  double value = 0;
  double low = 0, high = 0;
};

/// hits / n with Wilson's score interval; n = 0 is undefined.
/// Source: E. B. Wilson, JASA 22 (1927).
Estimate proportion(int64_t hits, int64_t n);

/// How many of `scores` stand before scores[index] in descending order; ties stand in index order.
int64_t rank_of(std::span<const float> scores, size_t index);

/// Of pictures with one right class each.
struct ClassificationMetrics {
  Estimate acc1, acc5;             // share of pictures whose class is among the best 1, 5
  Estimate mean_per_class_recall;  // mean over the classes that occur of their share of acc1
};

/// ranks[i]: rank_of the right class of picture i; targets[i]: that class, in [0, classes).
/// mean_per_class_recall's interval is the percentile bootstrap over pictures (1,000 resamples of a
/// fixed seed). Throws: InvalidArgument where the lengths differ or a target is no class.
ClassificationMetrics classification_metrics(std::span<const int64_t> ranks,
                                             std::span<const int32_t> targets, int32_t classes);

/// Mean over the classes of the average precision: of the pictures that have the class, the mean
/// share of such pictures among those that score at least as high; ties stand in picture order. A
/// class that no picture has counts as 0, as in CLIP_benchmark. scores, targets: [pictures,
/// classes]; targets are 0 or 1. Throws: InvalidArgument where the lengths do not fit.
double mean_average_precision(std::span<const float> scores, std::span<const uint8_t> targets,
                              int32_t classes);

}  // namespace openclip
