#include "text/clip_split.h"

#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

enum class Kind { space, letter, number, other };

// The iota below: the regex module puts it into no class when it ignores case, so it is skipped.
constexpr char32_t kYpogegrammeni = 0x0345;

Kind kind_of(char32_t code, bool ignore_case) {
  if (code < 0x80) {
    if ((code >= U'a' && code <= U'z') || (code >= U'A' && code <= U'Z')) return Kind::letter;
    if (code >= U'0' && code <= U'9') return Kind::number;
    return code == U' ' || (code >= 0x09 && code <= 0x0D) ? Kind::space : Kind::other;
  }
  if (is_letter(code)) return Kind::letter;
  if (is_number(code)) return Kind::number;
  if (is_py_space(code) || (ignore_case && code == kYpogegrammeni)) return Kind::space;
  return Kind::other;
}

char32_t fold(char32_t code) {
  if (code >= U'A' && code <= U'Z') return code + 32;
  return code == 0x017F ? U's' : code;  // the one character that folds into the words' letters
}

// Bytes of `text` at `at` that match the lower-case ASCII `word`, or 0.
size_t match_length(std::string_view text, size_t at, std::string_view word, bool ignore_case) {
  size_t position = at;
  for (const char expected : word) {
    if (position >= text.size()) return 0;
    const char32_t code = next_code_point(text, &position);
    if ((ignore_case ? fold(code) : code) != static_cast<char32_t>(expected)) return 0;
  }
  return position - at;
}

// Contractions and special tokens, which come before the classes in the pattern.
size_t fixed_word_length(std::string_view text, size_t at, const ClipSplitOptions& options) {
  if (text[at] == '\'') {
    for (const char* word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
      if (const size_t size = match_length(text, at, word, options.ignore_case)) return size;
  } else if (text[at] == '<' && options.specials) {
    for (const char* word : {"<start_of_text>", "<end_of_text>"})
      if (const size_t size = match_length(text, at, word, options.ignore_case)) return size;
  }
  return 0;
}

}  // namespace

std::string_view next_clip_word(std::string_view text, size_t* position,
                                const ClipSplitOptions& options) {
  while (*position < text.size()) {
    const size_t begin = *position;
    if (const size_t size = fixed_word_length(text, begin, options)) {
      *position += size;
      return text.substr(begin, size);
    }
    const Kind kind = kind_of(next_code_point(text, position), options.ignore_case);
    if (kind == Kind::space) continue;
    while (kind != Kind::number && *position < text.size()) {
      size_t next = *position;
      if (kind_of(next_code_point(text, &next), options.ignore_case) != kind) break;
      *position = next;
    }
    return text.substr(begin, *position - begin);
  }
  return {};
}

}  // namespace openclip
