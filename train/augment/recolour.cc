#include "augment/recolour.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace openclip::train {
namespace {

// Turns chroma in YIQ space: brightness stays, so edges stay.
void rotate_hue(Canvas& canvas, double radians, double saturation) {
  const float c = static_cast<float>(std::cos(radians) * saturation);
  const float s = static_cast<float>(std::sin(radians) * saturation);
  for (size_t i = 0; i < canvas.count(); ++i) {
    const float r = canvas.colour[0][i], g = canvas.colour[1][i], b = canvas.colour[2][i];
    const float y = luma(r, g, b);
    const float u = 0.596f * r - 0.274f * g - 0.322f * b;
    const float v = 0.211f * r - 0.523f * g + 0.312f * b;
    const float u2 = c * u - s * v, v2 = s * u + c * v;
    canvas.colour[0][i] = std::clamp(y + 0.956f * u2 + 0.621f * v2, 0.f, 1.f);
    canvas.colour[1][i] = std::clamp(y - 0.272f * u2 - 0.647f * v2, 0.f, 1.f);
    canvas.colour[2][i] = std::clamp(y - 1.106f * u2 + 1.703f * v2, 0.f, 1.f);
  }
}

void permute_channels(Canvas& canvas, Random& random) {
  std::vector<int> order = {0, 1, 2};
  random.shuffle(order);
  const std::array<Plane, 3> old = canvas.colour;
  for (int c = 0; c < 3; ++c) canvas.colour[c] = old[order[c]];
}

void to_grey(Canvas& canvas) {
  for (size_t i = 0; i < canvas.count(); ++i) {
    const float y = luma(canvas.colour[0][i], canvas.colour[1][i], canvas.colour[2][i]);
    for (Plane& plane : canvas.colour) plane[i] = y;
  }
}

// Splits the ink by brightness at evenly filled thresholds and paints each part in one colour: its
// own mean, or one of a random palette.
void posterise(Canvas& canvas, Random& random) {
  const int levels = 2 + static_cast<int>(random.below(3));
  const bool own = random.chance(0.5);
  std::array<int, 64> histogram{};
  std::vector<uint8_t> tone(canvas.count());
  int inked = 0;
  for (size_t i = 0; i < canvas.count(); ++i) {
    const float y = luma(canvas.colour[0][i], canvas.colour[1][i], canvas.colour[2][i]);
    tone[i] = static_cast<uint8_t>(std::clamp(static_cast<int>(y * 64), 0, 63));
    if (canvas.alpha[i] > 0.5f) ++histogram[tone[i]], ++inked;
  }
  std::array<uint8_t, 64> level{};
  int below = 0;
  for (int t = 0; t < 64; ++t) {
    const int middle = below + histogram[t] / 2;
    level[t] = static_cast<uint8_t>(std::min(levels - 1, inked > 0 ? middle * levels / inked : 0));
    below += histogram[t];
  }
  std::array<Colour, 4> colours{};
  std::array<float, 4> weight{};
  if (own) {
    for (size_t i = 0; i < canvas.count(); ++i) {
      const int l = level[tone[i]];
      weight[l] += canvas.alpha[i];
      for (int c = 0; c < 3; ++c) colours[l][c] += canvas.colour[c][i] * canvas.alpha[i];
    }
    for (int l = 0; l < levels; ++l)
      for (float& value : colours[l]) value /= std::max(weight[l], 1e-3f);
  } else {
    for (Colour& colour : colours) colour = random_colour(random);
  }
  for (size_t i = 0; i < canvas.count(); ++i)
    for (int c = 0; c < 3; ++c) canvas.colour[c][i] = colours[level[tone[i]]][c];
}

void turn_brightness(Canvas& canvas) {
  for (Plane& plane : canvas.colour)
    for (float& value : plane) value = 1 - value;
}

}  // namespace

Colour random_colour(Random& random, double value_low, double value_high) {
  const double value = random.uniform(value_low, value_high);
  const double saturation = random.uniform();
  Colour colour{};
  for (float& channel : colour)
    channel = static_cast<float>(value * (1 - saturation * random.uniform()));
  return colour;
}

void recolour(Canvas& canvas, Random& random) {
  switch (random.choose({0.42, 0.10, 0.20, 0.14, 0.06, 0.08})) {
    case 0:
      rotate_hue(canvas, random.uniform(-1, 1) * std::numbers::pi, random.uniform(0.3, 1.5));
      break;
    case 1:
      permute_channels(canvas, random);
      break;
    case 2:
      posterise(canvas, random);
      break;
    case 3:
      to_grey(canvas);
      break;
    case 4:
      fill(canvas, random_colour(random));
      break;
    default:
      turn_brightness(canvas);
  }
}

}  // namespace openclip::train
