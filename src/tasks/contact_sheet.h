// Many pictures on one sheet, to be looked at together. Rank 5.
#pragma once

#include <string>
#include <vector>

#include "image/image.h"

namespace openclip {

/// One picture of a sheet and the lines below it. Without pixels an empty frame is drawn.
struct SheetCell {
  Image picture;
  std::string first_line, second_line;
};

/// What stands on the sheet above the pictures, and how large it is.
struct SheetOptions {
  std::string heading{};  // may be empty
  int side = 192;         // of a picture's cell, pixels
  int columns = 0;        // 0 = as many as make the sheet about as wide as it is high, at most 8
};

/// A white sheet: pictures row by row, each scaled to fit its cell (small ones up to twice their
/// size), lines shortened to its width.
/// Throws: InvalidArgument for no cells and for sheets beyond kMaxSheetPixels.
Image contact_sheet(const std::vector<SheetCell>& cells, const SheetOptions& options = {});

inline constexpr long long kMaxSheetPixels = 100'000'000;

/// The text, or as much of its beginning as fits `width` pixels with "…" behind it.
std::string shortened(const std::string& text, int width);

}  // namespace openclip
