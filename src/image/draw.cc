#include "image/draw.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "image/between.h"
#include "image/font.h"

namespace openclip {
namespace {

void check_rgb(const Image& image) {
  check_arg(image.mode == PixelMode::rgb, "[draw] pictures must be RGB, got {}",
            mode_name(image.mode));
}

uint8_t mix(uint8_t from, double to, double part) {
  return static_cast<uint8_t>(std::lround(std::clamp(from + (to - from) * part, 0.0, 255.0)));
}

void paint(uint8_t* pixel, Color color, double opacity) {
  for (size_t c = 0; c < 3; ++c) pixel[c] = mix(pixel[c], color[c], opacity);
}

PixelRect inside(const Image& image, const PixelRect& rect) {
  return {std::clamp(rect.left, 0, image.width), std::clamp(rect.top, 0, image.height),
          std::clamp(rect.right, 0, image.width), std::clamp(rect.bottom, 0, image.height)};
}

// Blue, cyan, yellow, red.
std::array<double, 3> heat_color(double heat) {
  static constexpr double kStops[4][3] = {
      {40, 60, 200}, {40, 190, 200}, {250, 220, 50}, {230, 40, 30}};
  const double at = std::clamp(heat, 0.0, 1.0) * 3;
  const auto low = static_cast<size_t>(std::min(at, 2.999));
  const double part = at - static_cast<double>(low);
  std::array<double, 3> color{};
  for (size_t c = 0; c < 3; ++c)
    color[c] = kStops[low][c] + (kStops[low + 1][c] - kStops[low][c]) * part;
  return color;
}

}  // namespace

void fill_rect(Image& image, const PixelRect& rect, Color color, double opacity) {
  check_rgb(image);
  const PixelRect r = inside(image, rect);
  for (int y = r.top; y < r.bottom; ++y)
    for (int x = r.left; x < r.right; ++x) paint(image.row(y) + 3 * x, color, opacity);
}

void draw_frame(Image& image, const PixelRect& r, int thickness, Color color) {
  const int t = std::max(1, thickness);
  fill_rect(image, {r.left, r.top, r.right, std::min(r.top + t, r.bottom)}, color);
  fill_rect(image, {r.left, std::max(r.bottom - t, r.top), r.right, r.bottom}, color);
  fill_rect(image, {r.left, r.top, std::min(r.left + t, r.right), r.bottom}, color);
  fill_rect(image, {std::max(r.right - t, r.left), r.top, r.right, r.bottom}, color);
}

int text_width(std::string_view utf8, int scale) {
  int width = 0;
  while (!utf8.empty())
    if (const char32_t code = take_code_point(utf8); code >= 0x20)
      width += find_glyph(code).columns * scale;
  return width;
}

void draw_text(Image& image, int left, int top, std::string_view utf8, int scale, Color color) {
  while (!utf8.empty()) {
    const char32_t code = take_code_point(utf8);
    if (code < 0x20) continue;
    const Glyph glyph = find_glyph(code);
    for (int y = 0; y < kGlyphRows; ++y)
      for (int x = 0; x < glyph.columns; ++x)
        if (glyph.is_ink(x, y))
          fill_rect(
              image,
              {left + x * scale, top + y * scale, left + (x + 1) * scale, top + (y + 1) * scale},
              color);
    left += glyph.columns * scale;
  }
}

Color label_color(size_t number) {
  const double hue = std::fmod(0.02 + 0.61803398875 * static_cast<double>(number), 1.0) * 6;
  Color color{};
  for (size_t c = 0; c < 3; ++c) {
    // hsv to rgb: a trapezium over the hue, moved by two for each channel.
    const double at = std::fmod(hue + 6 - 2 * static_cast<double>(c), 6.0);
    const double level = std::clamp(std::abs(at - 3) - 1, 0.0, 1.0);
    color[c] = static_cast<uint8_t>(std::lround(30 + 200 * level));
  }
  return color;
}

Color ink_on(Color background) {
  const double light = 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2];
  return light > 140 ? Color{0, 0, 0} : Color{255, 255, 255};
}

void blend_heat(Image& image, std::span<const float> values, int rows, int cols) {
  check_rgb(image);
  check_arg(rows > 0 && cols > 0 && values.size() == static_cast<size_t>(rows) * cols,
            "[draw] {} values are no map of {} x {}", values.size(), rows, cols);
  const auto value = [&](int y, int x) {
    return static_cast<double>(values[static_cast<size_t>(y * cols + x)]);
  };
  for (int y = 0; y < image.height; ++y) {
    const Between down = between(y, image.height, rows);
    for (int x = 0; x < image.width; ++x) {
      const Between across = between(x, image.width, cols);
      const auto along = [&](int row) {
        return value(row, across.low) * (1 - across.part) + value(row, across.high) * across.part;
      };
      const double heat =
          std::clamp(along(down.low) * (1 - down.part) + along(down.high) * down.part, 0.0, 1.0);
      uint8_t* pixel = image.row(y) + 3 * x;
      const double grey = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
      const std::array<double, 3> tint = heat_color(heat);
      for (size_t c = 0; c < 3; ++c) {
        const double cold = mix(pixel[c], grey, 0.7) * 0.55;
        pixel[c] = mix(mix(pixel[c], tint[c], 0.5), cold, 1 - std::min(1.0, heat * 1.5));
      }
    }
  }
}

}  // namespace openclip
