#include "text/gpt2_split.h"

#include "text/bert_text.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

enum class CharacterClass { letter, number, space, other };

CharacterClass class_of(char32_t code) {
  if (is_letter(code)) return CharacterClass::letter;
  if (is_number(code)) return CharacterClass::number;
  return is_white_space(code) ? CharacterClass::space : CharacterClass::other;
}

std::string_view contraction(std::string_view text) {
  for (const std::string_view word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.starts_with(word)) return word;
  return {};
}

// The end of the run of one kind at `begin`; `*last` is where its last character begins.
size_t end_of_run(std::string_view text, size_t begin, CharacterClass kind, size_t* last) {
  while (begin < text.size()) {
    size_t at = begin;
    if (class_of(next_code_point(text, &at)) != kind) break;
    *last = begin;
    begin = at;
  }
  return begin;
}

}  // namespace

std::string_view next_gpt2_word(std::string_view text, size_t* position) {
  const size_t begin = *position;
  const std::string_view rest = text.substr(begin);
  if (const std::string_view word = contraction(rest); !word.empty()) {
    *position += word.size();
    return word;
  }
  size_t body = begin, last = begin;
  if (rest[0] == ' ' && rest.size() > 1) ++body;
  size_t at = body;
  const CharacterClass kind = class_of(next_code_point(text, &at));
  if (kind != CharacterClass::space && !(body == begin && rest[0] == ' ')) {
    *position = end_of_run(text, body, kind, &last);
    return text.substr(begin, *position - begin);
  }
  // White space before a word leaves its last character to it, unless that is all there is.
  size_t end = end_of_run(text, begin, CharacterClass::space, &last);
  if (end < text.size() && last > begin) end = last;
  *position = end;
  return text.substr(begin, end - begin);
}

}  // namespace openclip
