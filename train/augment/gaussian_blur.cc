#include "augment/gaussian_blur.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace openclip::train {
namespace {

std::vector<float> kernel(double sigma) {
  const int radius = std::max(1, static_cast<int>(std::ceil(3 * sigma)));
  std::vector<float> weights(2 * radius + 1);
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) sum += std::exp(-0.5 * i * i / (sigma * sigma));
  for (int i = -radius; i <= radius; ++i)
    weights[i + radius] = static_cast<float>(std::exp(-0.5 * i * i / (sigma * sigma)) / sum);
  return weights;
}

// Mirrored without repeating the border, as torch's "reflect".
int reflect(int i, int size) {
  const int period = std::max(1, 2 * (size - 1));
  i = std::abs(i) % period;
  return i < size ? i : period - i;
}

// One pass along rows; the result is transposed, so that the second pass does the columns.
void blur_rows(const std::vector<float>& in, int width, int height,
               const std::vector<float>& weights, std::vector<float>& out) {
  const int radius = static_cast<int>(weights.size() / 2);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      float sum[3] = {0, 0, 0};
      for (int k = -radius; k <= radius; ++k) {
        const float* pixel = &in[3 * (static_cast<size_t>(y) * width + reflect(x + k, width))];
        for (int c = 0; c < 3; ++c) sum[c] += weights[k + radius] * pixel[c];
      }
      for (int c = 0; c < 3; ++c) out[3 * (static_cast<size_t>(x) * height + y) + c] = sum[c];
    }
  }
}

}  // namespace

void gaussian_blur(Image& rgb, double sigma) {
  const std::vector<float> weights = kernel(sigma);
  std::vector<float> a(rgb.pixels.begin(), rgb.pixels.end()), b(a.size());
  blur_rows(a, rgb.width, rgb.height, weights, b);
  blur_rows(b, rgb.height, rgb.width, weights, a);
  for (size_t i = 0; i < a.size(); ++i)
    rgb.pixels[i] = static_cast<uint8_t>(std::lround(std::clamp(a[i], 0.f, 255.f)));
}

void mirror(Image& rgb) {
  for (int y = 0; y < rgb.height; ++y) {
    uint8_t* row = rgb.pixels.data() + 3 * static_cast<size_t>(y) * rgb.width;
    for (int left = 0, right = rgb.width - 1; left < right; ++left, --right)
      std::swap_ranges(row + 3 * left, row + 3 * left + 3, row + 3 * right);
  }
}

}  // namespace openclip::train
