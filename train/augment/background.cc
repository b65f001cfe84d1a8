#include "augment/background.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "augment/recolour.h"

namespace openclip::train {
namespace {

void gradient(Canvas& canvas, Random& random) {
  const Colour from = random_colour(random, 0.3, 1), to = random_colour(random, 0.3, 1);
  const double angle = random.uniform(0, 2 * std::numbers::pi);
  const float dx = static_cast<float>(std::cos(angle) / canvas.size);
  const float dy = static_cast<float>(std::sin(angle) / canvas.size);
  const float half = canvas.size / 2.f;
  for (int y = 0; y < canvas.size; ++y) {
    for (int x = 0; x < canvas.size; ++x) {
      const float t = std::clamp(0.5f + (x - half) * dx + (y - half) * dy, 0.f, 1.f);
      for (int c = 0; c < 3; ++c)
        canvas.colour[c][y * canvas.size + x] = from[c] + (to[c] - from[c]) * t;
    }
  }
}

void noise(Canvas& canvas, Random& random) {
  const Colour base = random_colour(random, 0.3, 1);
  const float strength = static_cast<float>(random.uniform(0.05, 0.5));
  const int smooth = static_cast<int>(random.below(5));
  Plane field(canvas.count());
  for (float& value : field) value = static_cast<float>(random.uniform(-1, 1));
  blur(field, canvas.size, smooth);
  const float gain = strength * (1 + smooth);  // blurring averages the noise away
  for (int c = 0; c < 3; ++c)
    for (size_t i = 0; i < field.size(); ++i)
      canvas.colour[c][i] = std::clamp(base[c] + gain * field[i], 0.f, 1.f);
}

}  // namespace

Canvas random_background(int size, Random& random) {
  Canvas canvas(size);
  switch (random.choose({0.50, 0.20, 0.10, 0.08, 0.07, 0.05})) {
    case 0:
      fill(canvas, {1, 1, 1});
      break;
    case 1:
      fill(canvas, random_colour(random, 0.2, 1));
      break;
    case 2:
      gradient(canvas, random);
      break;
    case 3:
      noise(canvas, random);
      break;
    case 4:
      fill(canvas, {0, 0, 0});
      break;
    default: {
      const float grey = static_cast<float>(random.uniform(0.1, 0.95));
      fill(canvas, {grey, grey, grey});
    }
  }
  std::fill(canvas.alpha.begin(), canvas.alpha.end(), 1.f);
  return canvas;
}

void composite(const Canvas& drawing, Canvas& background) {
  for (int c = 0; c < 3; ++c) {
    float* target = background.colour[c].data();
    const float* source = drawing.colour[c].data();
    for (size_t i = 0; i < drawing.count(); ++i)
      target[i] += (source[i] - target[i]) * drawing.alpha[i];
  }
}

}  // namespace openclip::train
