#include "tasks/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "image/convert.h"
#include "image/draw.h"
#include "image/font.h"
#include "image/resize.h"

namespace openclip {
namespace {

constexpr int kGap = 12;  // between cells and at the edges
constexpr int kLine = kGlyphRows + 2;
constexpr int kHeadingScale = 2;
constexpr int kMostColumns = 8;
constexpr double kMostZoom = 2;
constexpr Color kPaper{255, 255, 255}, kInk{30, 30, 30}, kFaint{110, 110, 110},
    kEmpty{238, 238, 238};

// Scaled to fit a square of `side`; 0 x 0 for what has no pixels.
Image fitted(const Image& picture, int side) {
  const double longer = std::max(picture.width, picture.height);
  const double scale = std::min(side / longer, kMostZoom);
  const auto length = [&](int pixels) {
    return std::clamp(static_cast<int>(std::lround(pixels * scale)), 1, side);
  };
  return resize(convert_to_rgb(picture), length(picture.width), length(picture.height));
}

void paste(Image& sheet, const Image& picture, int left, int top) {
  for (int y = 0; y < picture.height; ++y)
    std::memcpy(sheet.row(top + y) + size_t{3} * static_cast<size_t>(left), picture.row(y),
                picture.row_bytes());
}

void draw_cell(Image& sheet, const SheetCell& cell, int left, int top, int side) {
  if (cell.picture.pixels.empty()) {
    fill_rect(sheet, {left, top, left + side, top + side}, kEmpty);
  } else {
    const Image picture = fitted(cell.picture, side);
    paste(sheet, picture, left + (side - picture.width) / 2, top + (side - picture.height) / 2);
  }
  draw_text(sheet, left, top + side + 4, shortened(cell.first_line, side), 1, kInk);
  draw_text(sheet, left, top + side + 4 + kLine, shortened(cell.second_line, side), 1, kFaint);
}

}  // namespace

std::string shortened(const std::string& text, int width) {
  if (text_width(text, 1) <= width) return text;
  const std::string dots = "…";
  std::string kept;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t begin = text.size() - rest.size();
    take_code_point(rest);
    const std::string longer = kept + text.substr(begin, text.size() - rest.size() - begin);
    if (text_width(longer + dots, 1) > width) break;
    kept = longer;
  }
  return kept + dots;
}

Image contact_sheet(const std::vector<SheetCell>& cells, const SheetOptions& options) {
  check_arg(!cells.empty(), "there is no picture for a sheet");
  check_arg(options.side >= 16 && options.columns >= 0, "cells of {} pixels, {} columns",
            options.side, options.columns);
  const auto count = static_cast<int64_t>(cells.size());
  const int64_t columns = std::min<int64_t>(
      count, options.columns > 0
                 ? options.columns
                 : std::clamp<int64_t>(std::lround(std::ceil(std::sqrt(count))), 1, kMostColumns));
  const int64_t rows = (count + columns - 1) / columns;
  const int64_t cell_height = options.side + 4 + 2 * kLine;
  const int64_t head = options.heading.empty() ? 0 : kHeadingScale * kGlyphRows + kGap;
  const int64_t width = kGap + columns * (options.side + kGap);
  const int64_t height = kGap + head + rows * (cell_height + kGap);
  check_arg(width * height <= kMaxSheetPixels,
            "a sheet of {} pictures would have {} x {} pixels; ask for fewer", count, width,
            height);
  Image sheet = make_image(PixelMode::rgb, static_cast<int>(width), static_cast<int>(height));
  fill_rect(sheet, {0, 0, sheet.width, sheet.height}, kPaper);
  if (head > 0)
    draw_text(sheet, kGap, kGap,
              shortened(options.heading, (sheet.width - 2 * kGap) / kHeadingScale), kHeadingScale,
              kInk);
  for (int64_t i = 0; i < count; ++i)
    draw_cell(sheet, cells[static_cast<size_t>(i)],
              static_cast<int>(kGap + i % columns * (options.side + kGap)),
              static_cast<int>(kGap + head + i / columns * (cell_height + kGap)), options.side);
  return sheet;
}

}  // namespace openclip
