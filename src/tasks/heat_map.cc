#include "tasks/heat_map.h"

#include <algorithm>
#include <cmath>

#include "image/between.h"

namespace openclip {
namespace {

// 1 in the middle of [begin, end], falling to 0 at its edges.
double tent(double at, double begin, double end) {
  return std::max(0.0, 1 - std::abs(2 * (at - begin) / (end - begin) - 1));
}

}  // namespace

int HeatMap::hottest() const {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

HeatMap map_for(int width, int height, int finest) {
  const double scale = static_cast<double>(finest) / std::min(width, height);
  const auto places = [&](int pixels) {
    return std::clamp(static_cast<int>(std::lround(pixels * scale)), 1, 8 * finest);
  };
  return {places(height), places(width)};
}

void add_interpolated(HeatMap& to, const HeatMap& from) {
  for (int y = 0; y < to.rows; ++y) {
    const Between down = between(y, to.rows, from.rows);
    const auto lower = static_cast<float>(down.part);
    for (int x = 0; x < to.cols; ++x) {
      const Between across = between(x, to.cols, from.cols);
      const auto part = static_cast<float>(across.part);
      const auto along = [&](int row) {
        return from.at(row, across.low) * (1 - part) + from.at(row, across.high) * part;
      };
      to.at(y, x) += along(down.low) * (1 - lower) + along(down.high) * lower;
    }
  }
}

void spread_windows(HeatMap& map, const std::vector<BoxCorners>& windows,
                    const std::vector<double>& values, int width, int height) {
  std::vector<double> sums(map.values.size()), weights(map.values.size());
  const double across = static_cast<double>(width) / map.cols;
  const double down = static_cast<double>(height) / map.rows;
  for (size_t i = 0; i < windows.size(); ++i) {
    const auto& [left, top, right, bottom] = windows[i];
    const int last_y = std::min(map.rows - 1, static_cast<int>(bottom / down));
    const int last_x = std::min(map.cols - 1, static_cast<int>(right / across));
    for (int y = static_cast<int>(top / down); y <= last_y; ++y)
      for (int x = static_cast<int>(left / across); x <= last_x; ++x) {
        const double weight =
            tent((y + 0.5) * down, top, bottom) * tent((x + 0.5) * across, left, right);
        const size_t place =
            static_cast<size_t>(y) * static_cast<size_t>(map.cols) + static_cast<size_t>(x);
        sums[place] += weight * values[i];
        weights[place] += weight;
      }
  }
  const double least = values.empty() ? 0 : *std::min_element(values.begin(), values.end());
  for (size_t i = 0; i < sums.size(); ++i)
    map.values[i] = static_cast<float>(weights[i] > 0 ? sums[i] / weights[i] : least);
}

}  // namespace openclip
