#include "tasks/boxes.h"

#include <algorithm>

namespace openclip {

double box_area(const BoxCorners& box) {
  return std::max(0.0, box[2] - box[0]) * std::max(0.0, box[3] - box[1]);
}

double shared_area(const BoxCorners& a, const BoxCorners& b) {
  return box_area(
      {std::max(a[0], b[0]), std::max(a[1], b[1]), std::min(a[2], b[2]), std::min(a[3], b[3])});
}

double box_overlap(const BoxCorners& a, const BoxCorners& b) {
  const double shared = shared_area(a, b), all = box_area(a) + box_area(b) - shared;
  return all > 0 ? shared / all : 0;
}

std::vector<ScoredBox> merge_boxes(std::vector<ScoredBox> boxes, const MergeOptions& options) {
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const ScoredBox& a, const ScoredBox& b) { return a.score > b.score; });
  std::vector<ScoredBox> kept;
  for (const ScoredBox& box : boxes) {
    const bool same = std::any_of(kept.begin(), kept.end(), [&](const ScoredBox& better) {
      const double smaller = std::min(box_area(box.box), box_area(better.box));
      return box_overlap(box.box, better.box) >= options.overlap ||
             shared_area(box.box, better.box) > options.inside * smaller;
    });
    if (!same) kept.push_back(box);
  }
  return kept;
}

}  // namespace openclip
