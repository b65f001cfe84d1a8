#include "augment/colour_jitter.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace openclip::train {
namespace {

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0)); }

// Pillow's "L" of an RGB pixel.
int grey(const uint8_t* p) { return (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16; }

template <class Fn>
void each_pixel(Image& image, Fn fn) {
  for (size_t i = 0; i + 3 <= image.pixels.size(); i += 3) fn(image.pixels.data() + i);
}

// degenerate * (1 - factor) + pixel * factor, as Pillow's ImageEnhance.
template <class Degenerate>
void blend(Image& image, double factor, Degenerate degenerate) {
  each_pixel(image, [&](uint8_t* p) {
    const double other = degenerate(p);
    for (int c = 0; c < 3; ++c) p[c] = to_byte(other + (p[c] - other) * factor);
  });
}

double mean_grey(Image& image) {
  double sum = 0;
  each_pixel(image, [&](const uint8_t* p) { sum += grey(p); });
  return std::floor(sum / (image.pixels.size() / 3.0) + 0.5);
}

void shift_hue(Image& image, double turns) {
  each_pixel(image, [&](uint8_t* p) {
    const double r = p[0], g = p[1], b = p[2];
    const double top = std::max({r, g, b}), low = std::min({r, g, b}), range = top - low;
    if (range == 0) return;
    double hue = top == r ? (g - b) / range : top == g ? 2 + (b - r) / range : 4 + (r - g) / range;
    hue = hue / 6 + turns;
    hue = (hue - std::floor(hue)) * 6;
    const auto channel = [&](double offset) {
      const double k = std::fmod(offset + hue, 6.0);
      return to_byte(top - range * std::clamp(std::min(k, 4 - k), 0.0, 1.0) + 0.5);
    };
    p[0] = channel(5), p[1] = channel(3), p[2] = channel(1);
  });
}

}  // namespace

void to_greyscale(Image& image) {
  each_pixel(image, [](uint8_t* p) { p[0] = p[1] = p[2] = static_cast<uint8_t>(grey(p)); });
}

void colour_jitter(Image& image, std::array<double, 4> strengths, Random& random) {
  std::vector<int> order = {0, 1, 2, 3};
  random.shuffle(order);
  for (const int kind : order) {
    const double strength = strengths[kind];
    if (strength <= 0) continue;
    if (kind == 3) {
      shift_hue(image, random.uniform(-strength, strength));
      continue;
    }
    const double factor = random.uniform(std::max(0.0, 1 - strength), 1 + strength);
    const double mean = kind == 1 ? mean_grey(image) : 0;
    blend(image, factor, [&](const uint8_t* p) {
      return kind == 0 ? 0.0 : kind == 1 ? mean : static_cast<double>(grey(p));
    });
  }
}

}  // namespace openclip::train
