#include "tasks/annotate.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "image/convert.h"
#include "image/draw.h"
#include "image/font.h"
#include "image/resize.h"

namespace openclip {
namespace {

constexpr int kLeastSide = 384;  // of the longer side; below, labels hide the picture

void draw_one(Image& image, const Detection& found, double zoom) {
  const auto pixel = [&](size_t i) { return static_cast<int>(std::lround(found.box[i] * zoom)); };
  const PixelRect frame{pixel(0), pixel(1), pixel(2), pixel(3)};
  const int scale = std::max(1, std::max(image.width, image.height) / 700);
  const Color color = label_color(found.label_index);
  draw_frame(image, frame, 2 * scale, color);
  const std::string text = fmt::format("{} {:.0f} %", found.label, 100 * found.score);
  const int width = text_width(text, scale) + 4 * scale, height = kGlyphRows * scale;
  // Above the frame where there is room, else inside; never beyond the picture's edges.
  const int top = frame.top >= height ? frame.top - height : frame.top;
  const int left = std::clamp(frame.left, 0, std::max(0, image.width - width));
  fill_rect(image, {left, top, left + width, top + height}, color);
  draw_text(image, left + 2 * scale, top, text, scale, ink_on(color));
}

}  // namespace

Image annotated(const Image& image, const std::vector<Detection>& found) {
  Image out = convert_to_rgb(image);
  const double zoom =
      std::max(1.0, std::round(static_cast<double>(kLeastSide) / std::max(out.width, out.height)));
  if (zoom > 1)
    out = resize(out, static_cast<int>(out.width * zoom), static_cast<int>(out.height * zoom));
  // The best last, so that it lies on top.
  for (auto one = found.rbegin(); one != found.rend(); ++one) draw_one(out, *one, zoom);
  return out;
}

}  // namespace openclip
