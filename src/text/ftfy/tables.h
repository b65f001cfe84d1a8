// Types of the generated tables, which only this folder's sources include. Rank 3.
#pragma once

#include <cstdint>

#include "text/ftfy/character_classes.h"

namespace openclip::ftfy {

struct ClassRange {
  char32_t low, high;
  uint8_t character_class;
};

/// A sequence of characters that hardly occurs but as mojibake.
struct BadRule {
  bool at_start;  // matches only at the start of the text
  uint8_t size;
  ClassSet steps[7];
};

/// A single-byte encoding, above ASCII. A sloppy one also encodes U+FFFD, as byte 0x1A.
struct Charmap {
  const char16_t* decoded;  // [128]: bytes 0x80 to 0xFF
  bool sloppy;
  bool is_macroman;
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-variable"  // each source uses a part
#include "text/ftfy/tables.inc"
#pragma GCC diagnostic pop

}  // namespace openclip::ftfy
