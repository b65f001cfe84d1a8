// Boxes, words and heat maps on pictures. Rank 3.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "image/image.h"

namespace openclip {

using Color = std::array<uint8_t, 3>;

/// Pixels [left, right) x [top, bottom); what lies outside of a picture is not drawn.
struct PixelRect {
  int left = 0, top = 0, right = 0, bottom = 0;
};

/// Paints a rectangle; opacity 1 covers, 0 leaves everything as it was. image: mode rgb, here and
/// below. Throws: InvalidArgument for other modes.
void fill_rect(Image& image, const PixelRect& rect, Color color, double opacity = 1);

/// Draws a frame of `thickness` pixels inside of the rectangle.
void draw_frame(Image& image, const PixelRect& rect, int thickness, Color color);

/// Pixels that a line of text takes, each pixel of the font `scale` pixels large; control
/// characters take none. Its height is 16 * scale.
int text_width(std::string_view utf8, int scale);

/// Writes a line of text with its upper left corner at (left, top).
void draw_text(Image& image, int left, int top, std::string_view utf8, int scale, Color color);

/// A colour for each number, well apart for neighbours: hues by the golden ratio.
Color label_color(size_t number);

/// Black or white, whichever reads better on `background`.
Color ink_on(Color background);

/// Lays a map of heat over a picture: values [rows, cols], 0 cold to 1 hot (others are cut), spread
/// over the whole picture and interpolated bilinearly between the middles of the places. Cold parts
/// turn dark and grey, hot ones show the picture tinted from blue over yellow to red.
void blend_heat(Image& image, std::span<const float> values, int rows, int cols);

}  // namespace openclip
