#include "image/font.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace openclip {
namespace embedded {
extern const std::string_view font_bin;  // tools/gen_font.py has the format
}

namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr size_t kUnpackedBytes = 281'920;

// Glyphs of one width: sorted code points, and as many bitmaps.
struct Section {
  int columns = 8;
  std::vector<uint32_t> codes;
  const uint8_t* rows = nullptr;

  size_t glyph_bytes() const { return static_cast<size_t>(kGlyphRows * columns / 8); }
};

class Font {
 public:
  Font() : bytes_(kUnpackedBytes) {
    uLongf size = bytes_.size();
    const auto* packed = reinterpret_cast<const Bytef*>(embedded::font_bin.data());
    if (uncompress(bytes_.data(), &size, packed, embedded::font_bin.size()) != Z_OK ||
        size != bytes_.size())
      throw Internal("[font] the embedded font does not unpack");
    size_t at = 0;
    for (Section& section : sections_) {
      uint32_t count = 0;
      std::memcpy(&count, &bytes_[at], sizeof(count));
      section.codes.resize(count);
      std::memcpy(section.codes.data(), &bytes_[at += sizeof(count)], count * sizeof(uint32_t));
      section.rows = &bytes_[at += count * sizeof(uint32_t)];
      at += count * section.glyph_bytes();
    }
  }

  const Section* find(char32_t code, size_t* index) const {
    for (const Section& section : sections_) {
      const auto found = std::lower_bound(section.codes.begin(), section.codes.end(), code);
      if (found == section.codes.end() || *found != code) continue;
      *index = static_cast<size_t>(found - section.codes.begin());
      return &section;
    }
    return nullptr;
  }

 private:
  std::vector<uint8_t> bytes_;
  Section sections_[2] = {{.columns = 8, .codes = {}}, {.columns = 16, .codes = {}}};
};

}  // namespace

Glyph find_glyph(char32_t code) {
  static const Font font;
  size_t index = 0;
  const Section* section = font.find(code, &index);
  if (section == nullptr) section = font.find(kReplacement, &index);
  if (section == nullptr) throw Internal("[font] U+FFFD is missing");
  const size_t bytes = section->glyph_bytes();
  return {section->columns, {section->rows + index * bytes, bytes}};
}

char32_t take_code_point(std::string_view& utf8) {
  const auto first = static_cast<uint8_t>(utf8.front());
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length <= 1) {
    utf8.remove_prefix(1);
    return length == 1 ? first : kReplacement;
  }
  char32_t code = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = i < utf8.size() ? static_cast<uint8_t>(utf8[i]) : uint8_t{0};
    if ((byte & 0xC0) != 0x80) {
      utf8.remove_prefix(1);
      return kReplacement;
    }
    code = code << 6 | (byte & 0x3Fu);
  }
  utf8.remove_prefix(length);
  return code;
}

}  // namespace openclip
