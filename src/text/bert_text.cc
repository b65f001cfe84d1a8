#include "text/bert_text.h"

#include <algorithm>

#include "text/code_ranges.h"
#include "text/unicode.h"

namespace openclip {
namespace {

#include "text/bert_ranges.inc"

std::u32string clean(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t code : text)
    if (is_white_space(code) && !contains(kBertRemoved, code))
      out.push_back(U' ');
    else if (!contains(kBertRemoved, code))
      out.push_back(code);
  return out;
}

std::u32string space_chinese(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t code : text)
    if (contains(kBertChinese, code))
      out.append({U' ', code, U' '});
    else
      out.push_back(code);
  return out;
}

}  // namespace

bool is_white_space(char32_t code) { return contains(kWhiteSpace, code); }
bool is_bert_punctuation(char32_t code) { return contains(kBertPunctuation, code); }

std::u32string bert_normalize(std::u32string text, const BertNormalization& steps) {
  if (steps.clean_text) text = clean(text);
  if (steps.chinese_chars) text = space_chinese(text);
  if (steps.strip_accents) {
    text = normalize_nfd(std::move(text));
    std::erase_if(text, [](char32_t code) { return contains(kBertMarks, code); });
  }
  return steps.lowercase ? simple_lower(text) : text;
}

}  // namespace openclip
