// Header of a BMP file, read and checked. Internal to src/image.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "image/decode_formats.h"

namespace openclip {

enum class BmpPacking { raw, rle8, rle4, bitfields };

struct BmpHeader {
  int width = 0;
  int height = 0;
  bool top_down = false;
  int bits = 0;  // of one pixel: 1, 4, 8, 16, 24, 32
  BmpPacking packing = BmpPacking::raw;
  std::array<uint32_t, 4> masks = {};  // red, green, blue, alpha; bitfields only
  std::vector<uint8_t> palette;        // RGB, up to 256 entries; at most 8 bits only
  size_t pixel_offset = 0;             // from the start of the file
};

/// Reads the headers of all lengths that Pillow knows (12, 40, 52, 56, 64, 108, 124 bytes).
/// Throws: ParseError, also for sizes over the limits; Unsupported for embedded JPEG or PNG.
BmpHeader read_bmp_header(const DecodeInput& input);

/// Little-endian number of `count` bytes at `offset`. Throws: ParseError past the end of the file.
uint32_t bmp_number(const DecodeInput& input, size_t offset, int count);

}  // namespace openclip
