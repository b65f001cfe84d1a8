// BERT's view of characters, as the Python package `tokenizers` has it. Rank 3.
#pragma once

#include <string>
#include <string_view>

namespace openclip {

bool is_white_space(char32_t code);       // Rust's char::is_whitespace: White_Space of Unicode
bool is_bert_punctuation(char32_t code);  // ASCII's symbols and general category P

/// The steps of BertNormalizer, in its order.
struct BertNormalization {
  bool clean_text = true;     // control characters go, white space becomes ' '
  bool chinese_chars = true;  // a space on both sides of CJK ideographs
  bool strip_accents = true;  // NFD without nonspacing marks
  bool lowercase = true;
};
std::u32string bert_normalize(std::u32string text, const BertNormalization& steps);

}  // namespace openclip
