// Small square pictures in float, one plane for each channel, that augmentations work on.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace openclip::train {

/// One channel of size x size values.
using Plane = std::vector<float>;

/// A drawing: colour (not premultiplied, 0..1) and coverage.
struct Canvas {
  explicit Canvas(int size) : size(size) {
    for (Plane& plane : colour) plane.resize(static_cast<size_t>(size) * size);
    alpha.resize(static_cast<size_t>(size) * size);
  }
  size_t count() const { return alpha.size(); }

  int size;
  std::array<Plane, 3> colour;
  Plane alpha;
};

using Colour = std::array<float, 3>;

/// One colour everywhere; coverage stays.
inline void fill(Canvas& canvas, const Colour& colour) {
  for (size_t c = 0; c < 3; ++c)
    std::fill(canvas.colour[c].begin(), canvas.colour[c].end(), colour[c]);
}

/// Rec. 601 luma, as Pillow's convert("L").
inline float luma(float r, float g, float b) { return 0.299f * r + 0.587f * g + 0.114f * b; }

/// 3x3 binomial blur, edges repeated, `times` times.
void blur(Plane& plane, int size, int times = 1);

/// Largest (or smallest) value within the 4-neighbourhood (odd steps) and 8-neighbourhood (even
/// steps), `steps` times: grows or shrinks strokes evenly.
void dilate(Plane& plane, int size, int steps);
void erode(Plane& plane, int size, int steps);

/// Sobel gradient magnitude, scaled so that a step from 0 to 1 gives 1.
void gradient_magnitude(const Plane& plane, int size, Plane& out);

}  // namespace openclip::train
