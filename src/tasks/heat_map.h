// A number for every place of a picture. Rank 5.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "tasks/boxes.h"

namespace openclip {

/// rows x cols places of equal size that cover a picture.
struct HeatMap {
  int rows = 0, cols = 0;
  std::vector<float> values;  // row by row

  HeatMap() = default;
  HeatMap(int rows_in, int cols_in)
      : rows(rows_in),
        cols(cols_in),
        values(static_cast<size_t>(rows_in) * static_cast<size_t>(cols_in)) {}
  float& at(int y, int x) {
    return values[static_cast<size_t>(y) * static_cast<size_t>(cols) + static_cast<size_t>(x)];
  }
  float at(int y, int x) const {
    return values[static_cast<size_t>(y) * static_cast<size_t>(cols) + static_cast<size_t>(x)];
  }

  /// Number of the largest value; the first of equal ones.
  int hottest() const;
};

/// An empty map with `finest` places along the picture's shorter side, up to 8 times as many along
/// the other.
HeatMap map_for(int width, int height, int finest);

/// to += from, interpolated bilinearly between the middles of its places.
void add_interpolated(HeatMap& to, const HeatMap& from);

/// The mean over the windows that cover each place, each window counting most in its middle and
/// nothing at its edges. windows: in pixels of a picture of width x height; places that none covers
/// get the least of the values.
void spread_windows(HeatMap& map, const std::vector<BoxCorners>& windows,
                    const std::vector<double>& values, int width, int height);

}  // namespace openclip
