#include "models/config/sin_cos.h"

#include <cmath>

#include "base/error.h"

namespace openclip {

std::vector<float> sin_cos_positions(int grid, int width) {
  check_arg(width % 4 == 0, "[sin_cos_2d] the width must be a multiple of 4, got {}", width);
  const size_t quarter = static_cast<size_t>(width) / 4;
  std::vector<float> out(static_cast<size_t>(width), 0.0f);
  for (int row = 0; row < grid; ++row)
    for (int column = 0; column < grid; ++column)
      for (const int place : {column, row}) {
        std::vector<double> angles;
        for (size_t i = 0; i < quarter; ++i)
          angles.push_back(place / std::pow(10000.0, double(i) / double(quarter)));
        for (const double angle : angles) out.push_back(static_cast<float>(std::sin(angle)));
        for (const double angle : angles) out.push_back(static_cast<float>(std::cos(angle)));
      }
  return out;
}

}  // namespace openclip
