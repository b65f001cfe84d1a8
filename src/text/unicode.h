// Character properties and mappings exactly as Python and its regex module have them. Rank 3.
#pragma once

#include <string>
#include <string_view>

namespace openclip {

bool is_letter(char32_t code);        // \p{L}
bool is_number(char32_t code);        // \p{N}
bool is_py_space(char32_t code);      // str.isspace: what strip() and split() remove
bool is_decimal(char32_t code);       // \d: general category Nd
inline bool is_word(char32_t code) {  // \w
  return code == U'_' || is_letter(code) || is_number(code);
}

/// Python's str.lower: full mappings (U+0130 gives two characters) and the final sigma.
std::u32string py_lower(std::u32string_view text);

/// Lower case without context, as Rust's char::to_lowercase: a sigma is never final.
std::u32string simple_lower(std::u32string_view text);

/// Unicode normalisation forms.
std::u32string normalize_nfc(std::u32string text);
std::u32string normalize_nfd(std::u32string text);
std::u32string normalize_nfkc(std::u32string text);
std::u32string normalize_nfkd(std::u32string text);

/// The extended grapheme cluster at *begin of UTF-8; *begin moves past it. Empty at the end.
std::string_view next_grapheme(std::string_view text, size_t* begin);

/// " ".join(text.split()): no white space at the ends, one space between words.
std::u32string collapse_spaces(std::u32string_view text);

/// str.strip().
std::u32string_view strip_spaces(std::u32string_view text);

}  // namespace openclip
