// Run-length coded BMP pixels. Internal to src/image.
#pragma once

#include "image/bmp_header.h"

namespace openclip {

/// Palette indices [height, width] in file order (bottom row first unless top-down).
/// Skipped pixels are 0. As in Pillow, runs are cut at the right edge, literals flow on.
/// Throws: ParseError if the data ends before the last pixel.
std::vector<uint8_t> read_bmp_rle(const DecodeInput& input, const BmpHeader& header);

}  // namespace openclip
