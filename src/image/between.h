// Where the places of a grid lie among those of another. Rank 3.
#pragma once

#include <algorithm>

namespace openclip {

/// The two places between whose middles another lies, and how near the second.
struct Between {
  int low, high;
  double part;
};

/// Of place `at` of `count` along an axis, among `others` places along the same axis.
inline Between between(int at, int count, int others) {
  const double middle =
      std::clamp((at + 0.5) * others / count - 0.5, 0.0, static_cast<double>(others - 1));
  const int low = static_cast<int>(middle);
  return {low, std::min(low + 1, others - 1), middle - low};
}

}  // namespace openclip
