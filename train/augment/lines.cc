#include "augment/lines.h"

#include <algorithm>

#include "augment/recolour.h"

namespace openclip::train {

Plane find_lines(const Canvas& canvas, bool inner, int thickness, Random& random) {
  Plane lines;
  gradient_magnitude(canvas.alpha, canvas.size, lines);
  for (float& value : lines) value *= 2;
  if (inner) {
    // A threshold below this draws texture and anti-aliasing; above, only the boldest edges.
    const float threshold = static_cast<float>(random.uniform(0.05, 0.16));
    Plane on_white(canvas.count()), edges;
    for (const Plane& plane : canvas.colour) {
      for (size_t i = 0; i < plane.size(); ++i) on_white[i] = 1 + (plane[i] - 1) * canvas.alpha[i];
      gradient_magnitude(on_white, canvas.size, edges);
      const float slope = 0.5f / threshold;
      for (size_t i = 0; i < edges.size(); ++i)
        lines[i] = std::max(lines[i], (edges[i] - threshold) * slope);
    }
  }
  for (float& value : lines) value = std::clamp(value, 0.f, 1.f);
  dilate(lines, canvas.size, thickness);
  return lines;
}

void clear_fill(Canvas& canvas, Random& random) {
  const size_t choice = random.choose({0.70, 0.15, 0.15});
  if (choice == 1) {
    std::fill(canvas.alpha.begin(), canvas.alpha.end(), 0.f);
    return;
  }
  const Colour colour = choice == 0 ? Colour{1, 1, 1} : random_colour(random, 0.75, 1);
  fill(canvas, colour);
}

}  // namespace openclip::train
