// Arithmetic of boxes. Rank 5.
#pragma once

#include <array>
#include <vector>

namespace openclip {

/// x0, y0, x1, y1; x to the right, y down.
using BoxCorners = std::array<double, 4>;

double box_area(const BoxCorners& box);

/// Area that two boxes share.
double shared_area(const BoxCorners& a, const BoxCorners& b);

/// Intersection over union; 0 where both are empty.
double box_overlap(const BoxCorners& a, const BoxCorners& b);

/// A box in a contest with others of its label.
struct ScoredBox {
  BoxCorners box{};
  double score = 0;
};

struct MergeOptions {
  double overlap = 0.5;  // intersection over union from which a box is the same as a better one
  double inside = 1;     // part of the smaller box that lies in the other from which it is the same
};

/// Of windows and maps: what shows part of a thing, or a thing with much around it, lies in or
/// around the best box.
inline constexpr MergeOptions kMergeParts{.overlap = 0.35, .inside = 0.7};

/// Greedy non-maximum suppression: best first, without those that are the same as a better one.
/// Ties in the order given.
std::vector<ScoredBox> merge_boxes(std::vector<ScoredBox> boxes, const MergeOptions& options);

}  // namespace openclip
