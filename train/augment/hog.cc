#include "augment/hog.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace openclip::train {
namespace {

struct Gradient {
  float dx = 0, dy = 0, square = 0;
};

void strongest(const Plane& plane, int size, std::vector<Gradient>& field) {
  for (int y = 1; y < size - 1; ++y) {
    const float* row = plane.data() + y * size;
    for (int x = 1; x < size - 1; ++x) {
      const float dx = row[x + 1] - row[x - 1], dy = row[x + size] - row[x - size];
      const float square = dx * dx + dy * dy;
      Gradient& best = field[y * size + x];
      if (square > best.square) best = {dx, dy, square};
    }
  }
}

class Histogram {
 public:
  // Adds `weight` at a fractional place (in cells) and orientation (in bins).
  void vote(float cell_x, float cell_y, float bin, float weight) {
    const int x0 = static_cast<int>(std::floor(cell_x)), y0 = static_cast<int>(std::floor(cell_y));
    const int b0 = static_cast<int>(bin) % kHogBins, b1 = (b0 + 1) % kHogBins;
    const float fx = cell_x - x0, fy = cell_y - y0, fb = bin - std::floor(bin);
    for (int j = 0; j < 2; ++j) {
      for (int i = 0; i < 2; ++i) {
        const int x = x0 + i, y = y0 + j;
        if (x < 0 || y < 0 || x >= kHogCells || y >= kHogCells) continue;
        const float part = weight * (i ? fx : 1 - fx) * (j ? fy : 1 - fy);
        cells_[y][x][b0] += part * (1 - fb);
        cells_[y][x][b1] += part * fb;
      }
    }
  }

  float energy(int x, int y) const {
    float sum = 0;
    for (const float value : cells_[y][x]) sum += value * value;
    return sum;
  }

  const std::array<float, kHogBins>& cell(int x, int y) const { return cells_[y][x]; }

 private:
  std::array<std::array<std::array<float, kHogBins>, kHogCells>, kHogCells> cells_{};
};

}  // namespace

void hog_descriptor(const Canvas& canvas, float* out) {
  const int size = canvas.size;
  std::vector<Gradient> field(canvas.count());
  Plane on_white(canvas.count());
  for (const Plane& plane : canvas.colour) {
    for (size_t i = 0; i < plane.size(); ++i) on_white[i] = 1 + (plane[i] - 1) * canvas.alpha[i];
    strongest(on_white, size, field);
  }
  strongest(canvas.alpha, size, field);

  Histogram histogram;
  const float to_cell = static_cast<float>(kHogCells) / size;
  for (int y = 1; y < size - 1; ++y) {
    for (int x = 1; x < size - 1; ++x) {
      const Gradient& gradient = field[y * size + x];
      if (gradient.square < 1e-4f) continue;
      float angle = std::atan2(gradient.dy, gradient.dx) / std::numbers::pi_v<float>;
      if (angle < 0) angle += 1;  // unsigned: [0, 1)
      histogram.vote((x + 0.5f) * to_cell - 0.5f, (y + 0.5f) * to_cell - 0.5f,
                     std::min(angle, 0.99999f) * kHogBins, std::sqrt(gradient.square));
    }
  }

  float total = 0;
  float* target = out;
  for (int y = 0; y < kHogCells; ++y) {
    for (int x = 0; x < kHogCells; ++x) {
      float around = 0.5f;  // keeps noise in empty parts from being blown up
      for (int j = std::max(0, y - 1); j <= std::min(kHogCells - 1, y + 1); ++j)
        for (int i = std::max(0, x - 1); i <= std::min(kHogCells - 1, x + 1); ++i)
          around += histogram.energy(i, j);
      const float scale = 1 / std::sqrt(around);
      for (const float value : histogram.cell(x, y)) {
        *target = std::min(0.4f, value * scale);
        total += *target * *target;
        ++target;
      }
    }
  }
  const float scale = 1 / std::sqrt(std::max(total, 1e-12f));
  for (int i = 0; i < kHogLength; ++i) out[i] *= scale;
}

}  // namespace openclip::train
