#include "image/convert.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace openclip {
namespace {

// a * b / 255 rounded to the nearest, exact for 8-bit values.
inline int multiply_255(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

template <class Grey>
void repeat_grey(int count, uint8_t* rgb, Grey grey) {
  for (int x = 0; x < count; ++x) {
    const uint8_t value = grey(x);
    rgb[3 * x] = rgb[3 * x + 1] = rgb[3 * x + 2] = value;
  }
}

}  // namespace

void convert_row_to_rgb(PixelMode mode, const uint8_t* pixels, int count, const uint8_t* palette,
                        uint8_t* rgb) {
  switch (mode) {
    case PixelMode::bit:
    case PixelMode::l:
      return repeat_grey(count, rgb, [&](int x) { return pixels[x]; });
    case PixelMode::la:
      return repeat_grey(count, rgb, [&](int x) { return pixels[2 * x]; });
    case PixelMode::i16:
      return repeat_grey(count, rgb, [&](int x) {
        uint16_t value;
        std::memcpy(&value, pixels + 2 * x, sizeof value);
        return static_cast<uint8_t>(std::min<int>(value, 255));
      });
    case PixelMode::p:
      for (int x = 0; x < count; ++x) std::memcpy(rgb + 3 * x, palette + 3 * pixels[x], 3);
      return;
    case PixelMode::rgb:
      std::memcpy(rgb, pixels, static_cast<size_t>(count) * 3);
      return;
    case PixelMode::rgba:
      for (int x = 0; x < count; ++x) std::memcpy(rgb + 3 * x, pixels + 4 * x, 3);
      return;
    case PixelMode::cmyk:
      for (int x = 0; x < count; ++x) {
        const int light = 255 - pixels[4 * x + 3];
        for (int c = 0; c < 3; ++c) {
          rgb[3 * x + c] = static_cast<uint8_t>(light - multiply_255(pixels[4 * x + c], light));
        }
      }
      return;
  }
  throw Internal("[convert] unknown pixel mode");
}

Image convert_to_rgb(const Image& image) {
  Image out = make_image(PixelMode::rgb, image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    convert_row_to_rgb(image.mode, image.row(y), image.width, image.palette.data(), out.row(y));
  }
  return out;
}

void premultiply_row(uint8_t* pixels, int count, int channels) {
  for (int x = 0; x < count; ++x, pixels += channels) {
    const int alpha = pixels[channels - 1];
    for (int c = 0; c < channels - 1; ++c) {
      pixels[c] = static_cast<uint8_t>(multiply_255(pixels[c], alpha));
    }
  }
}

void unpremultiply_row(uint8_t* pixels, int count, int channels) {
  for (int x = 0; x < count; ++x, pixels += channels) {
    const int alpha = pixels[channels - 1];
    if (alpha == 0 || alpha == 255) continue;
    for (int c = 0; c < channels - 1; ++c) {
      pixels[c] = static_cast<uint8_t>(std::min(255, 255 * pixels[c] / alpha));
    }
  }
}

}  // namespace openclip
