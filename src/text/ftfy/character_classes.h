// Classes of the characters that mojibake is made of, for the rules in tables.inc. Rank 3.
#pragma once

#include <cstdint>

namespace openclip::ftfy {

/// A set of character classes, one bit each.
struct ClassSet {
  uint64_t low, high;
  bool has(uint8_t character_class) const {
    return ((character_class < 64 ? low : high) >> (character_class % 64) & 1) != 0;
  }
};

/// The class of any character; those no rule names fall into three: words, spaces and others.
uint8_t character_class(char32_t code);

}  // namespace openclip::ftfy
