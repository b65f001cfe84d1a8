// The glyphs with which labels are written on pictures. Rank 3.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace openclip {

inline constexpr int kGlyphRows = 16;

/// One character of GNU Unifont: 16 rows of 8 or 16 pixels, the leftmost in the highest bit.
struct Glyph {
  int columns = 8;
  std::span<const uint8_t> rows;  // kGlyphRows * columns / 8 bytes

  bool is_ink(int x, int y) const {
    const size_t bit = static_cast<size_t>(y * columns + x);
    return (rows[bit / 8] >> (7 - bit % 8) & 1) != 0;
  }
};

/// The glyph of a code point; U+FFFD's for those that the font lacks. Latin, Greek, Cyrillic, kana
/// and the Chinese characters of GB 2312 are there. The font is unpacked on first use (1 ms).
Glyph find_glyph(char32_t code);

/// Takes the first code point off UTF-8 text that is not empty; U+FFFD for a byte that is no UTF-8.
char32_t take_code_point(std::string_view& utf8);

}  // namespace openclip
