#include "text/clean.h"

#include <algorithm>

#include "text/ftfy/fix_text.h"
#include "text/html.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

// Most captions are ASCII without references or control characters; for those all repairs are the
// identity, and white space and case are all that is left to do.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 0x20 && c < 0x7F && c != '&') || c == '\n' || c == '\t';
  });
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string clean_plain(std::string_view text, bool lower) {
  std::string out;
  out.reserve(text.size());
  bool space = false;
  for (const char c : text) {
    if (c <= ' ') {
      space = true;
      continue;
    }
    if (space && !out.empty()) out.push_back(' ');
    space = false;
    out.push_back(lower ? ascii_lower(c) : c);
  }
  return out;
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') ||
         (c >= U'{' && c <= U'~');
}

std::u32string canonicalize(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c == U'_')
      out.push_back(U' ');
    else if (!is_ascii_punctuation(c))
      out.push_back(c);
  }
  return collapse_spaces(py_lower(out));
}

}  // namespace

std::string clean_text(std::string_view text, CleanMode mode) {
  if (mode != CleanMode::canonicalize && is_plain(text))
    return clean_plain(text, mode == CleanMode::lower);
  const std::u32string fixed = ftfy::fix_text(decode_utf8(text));
  const std::u32string unescaped = html_unescape(html_unescape(fixed));
  const std::u32string_view stripped = strip_spaces(unescaped);
  if (mode == CleanMode::canonicalize) return encode_utf8(canonicalize(stripped));
  const std::u32string spaced = collapse_spaces(stripped);
  return encode_utf8(mode == CleanMode::lower ? py_lower(spaced) : spaced);
}

}  // namespace openclip
