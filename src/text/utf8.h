// UTF-8 to code points and back. Rank 3.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace openclip {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// Decodes one code point at `position` and moves past it. Malformed bytes give U+FFFD, one for
/// each maximal part of a sequence, as Python's errors="replace" and the WHATWG do; `*valid` (may
/// be null) becomes false then and is never set to true.
char32_t next_code_point(std::string_view text, size_t* position, bool* valid = nullptr);

/// The whole text, with U+FFFD for what is malformed (surrogates and overlong forms included).
std::u32string decode_utf8(std::string_view text);

/// Appends one code point; surrogates and values past U+10FFFF become U+FFFD.
void append_utf8(char32_t code, std::string* out);

std::string encode_utf8(std::u32string_view text);

/// Whether a byte of well-formed text begins a code point.
inline bool starts_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

bool is_ascii(std::string_view text);

}  // namespace openclip
