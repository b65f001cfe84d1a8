#include "augment/degrade.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "augment/recolour.h"

namespace openclip::train {
namespace {

using DctBlock = std::array<std::array<float, 8>, 8>;

// Orthonormal DCT-II matrix.
const DctBlock& dct_matrix() {
  static const DctBlock matrix = [] {
    DctBlock m{};
    for (int k = 0; k < 8; ++k)
      for (int n = 0; n < 8; ++n)
        m[k][n] = static_cast<float>(std::sqrt((k == 0 ? 1 : 2) / 8.0) *
                                     std::cos(std::numbers::pi * (n + 0.5) * k / 8));
    return m;
  }();
  return matrix;
}

// m * block * m^T, or with m transposed.
DctBlock transform(const DctBlock& block, bool inverse) {
  const DctBlock& m = dct_matrix();
  DctBlock half{}, out{};
  for (int i = 0; i < 8; ++i)
    for (int k = 0; k < 8; ++k) {
      const float factor = inverse ? m[k][i] : m[i][k];
      for (int j = 0; j < 8; ++j) half[i][j] += factor * block[k][j];
    }
  for (int i = 0; i < 8; ++i)
    for (int k = 0; k < 8; ++k) {
      const float value = half[i][k];
      for (int j = 0; j < 8; ++j) out[i][j] += value * (inverse ? m[k][j] : m[j][k]);
    }
  return out;
}

void add_noise(Canvas& canvas, Random& random) {
  const float strength = static_cast<float>(random.uniform(0.01, 0.10));
  for (Plane& plane : canvas.colour) {
    for (float& value : plane) {
      // Four small uniforms of one draw make a near-normal number cheaply.
      const uint64_t bits = random.next();
      const int sum = static_cast<int>((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) +
                                       ((bits >> 32) & 0xFFFF) + (bits >> 48));
      value = std::clamp(value + strength * (sum - 131070) * (1 / 37837.f), 0.f, 1.f);
    }
  }
}

void lower_contrast(Canvas& canvas, Random& random) {
  const float gain = static_cast<float>(random.uniform(0.25, 0.9));
  const float offset = static_cast<float>(random.uniform(0, 1 - gain));
  for (Plane& plane : canvas.colour)
    for (float& value : plane) value = offset + gain * value;
}

void cut_out(Canvas& canvas, Random& random) {
  const int size = canvas.size;
  const int width = static_cast<int>(size * random.uniform(0.1, 0.4));
  const int height = static_cast<int>(size * random.uniform(0.1, 0.4));
  const int left = static_cast<int>(random.below(size - width + 1));
  const int top = static_cast<int>(random.below(size - height + 1));
  const Colour colour = random.chance(0.5) ? Colour{1, 1, 1} : random_colour(random);
  for (int c = 0; c < 3; ++c)
    for (int y = top; y < top + height; ++y)
      std::fill_n(canvas.colour[c].begin() + y * size + left, width, colour[c]);
}

// Dark strokes grow where the least value wins, shrink where the largest does.
void change_strokes(Canvas& canvas, Random& random) {
  const bool thicker = random.chance(0.6);
  for (Plane& plane : canvas.colour) {
    if (thicker)
      erode(plane, canvas.size, 1);
    else
      dilate(plane, canvas.size, 1);
  }
}

}  // namespace

void block_compress(Canvas& canvas, float strength) {
  const int size = canvas.size;
  for (Plane& plane : canvas.colour) {
    for (int y = 0; y + 8 <= size; y += 8) {
      for (int x = 0; x + 8 <= size; x += 8) {
        DctBlock block;
        for (int j = 0; j < 8; ++j)
          for (int i = 0; i < 8; ++i) block[j][i] = plane[(y + j) * size + x + i];
        block = transform(block, false);
        for (int j = 0; j < 8; ++j) {
          for (int i = 0; i < 8; ++i) {
            const float step = strength * (0.05f + 0.06f * (i + j));
            block[j][i] = std::nearbyint(block[j][i] / step) * step;
          }
        }
        block = transform(block, true);
        for (int j = 0; j < 8; ++j)
          for (int i = 0; i < 8; ++i)
            plane[(y + j) * size + x + i] = std::clamp(block[j][i], 0.f, 1.f);
      }
    }
  }
}

void degrade(Canvas& canvas, Random& random) {
  if (random.chance(0.12)) change_strokes(canvas, random);
  if (random.chance(0.20)) {
    const int times = 1 + static_cast<int>(random.below(3));
    for (Plane& plane : canvas.colour) blur(plane, canvas.size, times);
  }
  if (random.chance(0.15)) lower_contrast(canvas, random);
  if (random.chance(0.10)) cut_out(canvas, random);
  if (random.chance(0.12)) block_compress(canvas, static_cast<float>(random.uniform(0.2, 1)));
  if (random.chance(0.10)) add_noise(canvas, random);
}

}  // namespace openclip::train
