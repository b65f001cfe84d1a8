#include "augment/geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "image/convert.h"
#include "image/resize.h"

namespace openclip::train {
namespace {

// Four floats that the compiler keeps in one register.
typedef float Pixel __attribute__((vector_size(16)));

// Source picture as premultiplied RGBA with a one-pixel transparent (or repeated) border.
struct Source {
  int width, height, stride;
  std::vector<Pixel> pixels;

  const Pixel* at(int x, int y) const { return pixels.data() + (y + 1) * stride + x + 1; }
};

Source load(const Image& picture) {
  Source source{picture.width, picture.height, picture.width + 2, {}};
  source.pixels.resize(static_cast<size_t>(source.stride) * (picture.height + 2), Pixel{});
  const bool has_alpha = picture.mode == PixelMode::rgba;
  const int channels = has_alpha ? 4 : 3;
  for (int y = 0; y < picture.height; ++y) {
    const uint8_t* row = picture.row(y);
    Pixel* target = source.pixels.data() + (y + 1) * source.stride + 1;
    for (int x = 0; x < picture.width; ++x, row += channels) {
      const float alpha = has_alpha ? row[3] * (1 / 255.f) : 1.f;
      const float scale = alpha * (1 / 255.f);
      target[x] = Pixel{row[0] * scale, row[1] * scale, row[2] * scale, alpha};
    }
  }
  return source;
}

Pixel bilinear(const Source& source, float x, float y) {
  // floor() of numbers above -kShift without a function call, which baseline x86-64 would make.
  constexpr int kShift = 1 << 12;
  const int ix = static_cast<int>(x + kShift) - kShift, iy = static_cast<int>(y + kShift) - kShift;
  if (ix < -1 || iy < -1 || ix >= source.width || iy >= source.height) return Pixel{};
  const float ax = x - static_cast<float>(ix), ay = y - static_cast<float>(iy);
  const Pixel* top = source.at(ix, iy);
  const Pixel* low = top + source.stride;
  const Pixel upper = top[0] + (top[1] - top[0]) * ax;
  const Pixel lower = low[0] + (low[1] - low[0]) * ax;
  return upper + (lower - upper) * ay;
}

// Canvas pixel -> source pixel.
struct Affine {
  float xx, xy, x0, yx, yy, y0;
};

Canvas sample(const Source& source, int size, const Affine& map) {
  Canvas canvas(size);
  // Enough bilinear taps in each direction that none of the source's pixels is skipped: a tap
  // covers one pixel fully and fades out over the next.
  const float step = std::max(std::hypot(map.xx, map.yx), std::hypot(map.xy, map.yy));
  const int taps = std::clamp(static_cast<int>(std::ceil(step - 0.25f)), 1, 8);
  const float weight = 1.f / (taps * taps);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      Pixel sum{};
      for (int j = 0; j < taps; ++j) {
        const float v = y + (j + 0.5f) / taps;
        for (int i = 0; i < taps; ++i) {
          const float u = x + (i + 0.5f) / taps;
          sum += bilinear(source, map.xx * u + map.xy * v + map.x0 - 0.5f,
                          map.yx * u + map.yy * v + map.y0 - 0.5f);
        }
      }
      sum *= weight;
      const size_t at = static_cast<size_t>(y) * size + x;
      const float divide = sum[3] > 1e-4f ? 1 / sum[3] : 0;
      for (int c = 0; c < 3; ++c) canvas.colour[c][at] = std::min(1.f, sum[c] * divide);
      canvas.alpha[at] = sum[3];
    }
  }
  return canvas;
}

// The inverse of: shrink by 1 / (sx, sy), shear, turn, move the centre to (cx, cy).
Affine inverse_map(const Source& source, double sx, double sy, double shear, double radians,
                   double cx, double cy) {
  const double cosine = std::cos(radians), sine = std::sin(radians);
  // Forward, about the centres: [a b; c d] = rotation * shear * diag(sx, sy).
  const double a = cosine * sx, b = (cosine * shear - sine) * sy;
  const double c = sine * sx, d = (sine * shear + cosine) * sy;
  const double det = a * d - b * c;
  Affine map{};
  map.xx = static_cast<float>(d / det);
  map.xy = static_cast<float>(-b / det);
  map.yx = static_cast<float>(-c / det);
  map.yy = static_cast<float>(a / det);
  map.x0 = static_cast<float>(source.width / 2.0 - (map.xx * cx + map.xy * cy));
  map.y0 = static_cast<float>(source.height / 2.0 - (map.yx * cx + map.yy * cy));
  return map;
}

// RGB or RGBA, and not so large that the taps of sample() would skip pixels.
Image prepare(const Image& picture, int size) {
  const bool has_colour = picture.mode == PixelMode::rgb || picture.mode == PixelMode::rgba;
  const int longest = std::max(picture.width, picture.height);
  const Image colour = has_colour ? picture : convert_to_rgb(picture);
  if (longest <= 4 * size) return colour;
  const auto shrink = [&](int side) {
    return std::max(1, static_cast<int>(int64_t{side} * 2 * size / longest));
  };
  return resize(colour, shrink(picture.width), shrink(picture.height));
}

}  // namespace

Canvas place(const Image& picture, int size, bool may_flip, const GeometryOptions& options,
             Random& random) {
  const Source source = load(prepare(picture, size));
  const double longest = std::max(source.width, source.height);
  const double scale = random.uniform(options.scale_low, options.scale_high) * size / longest;
  double turn = 0, shear = 0, aspect = 0;
  if (!random.chance(options.identity)) {
    turn = random.uniform(-1, 1) * options.rotate_degrees * std::numbers::pi / 180;
    shear = random.uniform(-1, 1) * options.shear;
    aspect = random.uniform(-1, 1) * options.aspect;
  }
  const double flip = may_flip && random.chance(0.5) ? -1 : 1;
  const double sx = scale * std::exp(aspect / 2), sy = scale * std::exp(-aspect / 2);
  // Free room on either side may be used up fully; beyond it only `translate`.
  const double room_x =
      std::max(0.0, (size - sx * source.width) / 2) + options.translate * size / 2;
  const double room_y =
      std::max(0.0, (size - sy * source.height) / 2) + options.translate * size / 2;
  const double cx = size / 2.0 + random.uniform(-1, 1) * room_x;
  const double cy = size / 2.0 + random.uniform(-1, 1) * room_y;
  return sample(source, size, inverse_map(source, flip * sx, sy, shear, turn, cx, cy));
}

Canvas place_plain(const Image& picture, int size) {
  const Source source = load(prepare(picture, size));
  const double scale = static_cast<double>(size) / std::max(source.width, source.height);
  return sample(source, size, inverse_map(source, scale, scale, 0, 0, size / 2.0, size / 2.0));
}

}  // namespace openclip::train
