#include "text/ftfy/fix_text.h"

#include <algorithm>
#include <array>

#include "text/ftfy/charmap.h"
#include "text/ftfy/mojibake.h"
#include "text/html.h"
#include "text/unicode.h"

namespace openclip::ftfy {
namespace {

constexpr size_t kMaxSegment = 1'000'000;
// "&amp;amp;amp;..." loses one layer a round: without a bound, hostile text takes quadratic time.
constexpr int kMaxRounds = 64;
constexpr char32_t kFirstWide = 0xFF01, kLastWide = 0xFFEF;

// Latin letters that are one character for the printer's sake only, and digraphs that old
// encodings carried.
std::u32string_view ligature(char32_t code) {
  switch (code) {
    case 0x0132:
      return U"IJ";
    case 0x0133:
      return U"ij";
    case 0x0149:
      return U"\u02BCn";
    case 0x01C4:
      return U"D\u017D";
    case 0x01C5:
      return U"D\u017E";
    case 0x01C6:
      return U"d\u017E";
    case 0x01C7:
      return U"LJ";
    case 0x01C8:
      return U"Lj";
    case 0x01C9:
      return U"lj";
    case 0x01CA:
      return U"NJ";
    case 0x01CB:
      return U"Nj";
    case 0x01CC:
      return U"nj";
    case 0x01F1:
      return U"DZ";
    case 0x01F2:
      return U"Dz";
    case 0x01F3:
      return U"dz";
    case 0xFB00:
      return U"ff";
    case 0xFB01:
      return U"fi";
    case 0xFB02:
      return U"fl";
    case 0xFB03:
      return U"ffi";
    case 0xFB04:
      return U"ffl";
    case 0xFB05:
      return U"\u017Ft";
    case 0xFB06:
      return U"st";
    default:
      return {};
  }
}

// Full-width and half-width forms in their usual width (NFKC of that block alone).
const std::u32string& usual_width(char32_t code) {
  static const auto table = [] {
    std::array<std::u32string, kLastWide - kFirstWide + 1> forms;
    for (char32_t c = kFirstWide; c <= kLastWide; ++c)
      forms[c - kFirstWide] = normalize_nfkc(std::u32string(1, c));
    return forms;
  }();
  return table[code - kFirstWide];
}

bool is_removed_control(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
         (c >= 0x206A && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

// The fixes that look at one character. Their order in ftfy matters only where one's output is
// another's input; the ligature with an apostrophe is the one such case.
void append_fixed(char32_t code, std::u32string* out) {
  if (code >= 0x80 && code <= 0x9F) code = decode_byte(static_cast<unsigned char>(code), 1);
  if (const std::u32string_view letters = ligature(code); !letters.empty()) {
    for (const char32_t letter : letters) out->push_back(letter == 0x02BC ? U'\'' : letter);
  } else if (code >= kFirstWide && code <= kLastWide) {
    out->append(usual_width(code));
  } else if (code == 0x3000) {
    out->push_back(U' ');
  } else if (code == 0x02BC || (code >= 0x2018 && code <= 0x201B)) {
    out->push_back(U'\'');
  } else if (code >= 0x201C && code <= 0x201F) {
    out->push_back(U'"');
  } else {
    out->push_back(code);
  }
}

std::u32string fix_line_breaks(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == U'\r' && i + 1 < text.size() && text[i + 1] == U'\n') continue;
    const bool is_break = c == U'\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
    out.push_back(is_break ? U'\n' : c);
  }
  return out;
}

// Length of a terminal escape such as "\033[36;44m" at `at`, or 0.
size_t escape_length(std::u32string_view text, size_t at) {
  if (text[at] != 0x1B || at + 1 >= text.size() || text[at + 1] != U'[') return 0;
  size_t i = at + 2;
  while (i < text.size() && (text[i] == U';' || is_decimal(text[i]))) ++i;
  if (i == text.size()) return 0;
  const bool letter = (text[i] >= U'a' && text[i] <= U'z') || (text[i] >= U'A' && text[i] <= U'Z');
  return letter ? i + 1 - at : 0;
}

std::u32string remove_escapes(std::u32string text) {
  if (text.find(0x1B) == std::u32string::npos) return text;
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const size_t size = escape_length(text, i);
    if (size == 0) out.push_back(text[i]);
    i += std::max<size_t>(size, 1);
  }
  return out;
}

std::u32string fix_segment(std::u32string text, bool unescape) {
  for (int round = 0; round < kMaxRounds; ++round) {
    std::u32string fixed = unescape ? unescape_unambiguous(text) : text;
    fixed = fix_encoding(std::move(fixed));
    std::u32string characters;
    characters.reserve(fixed.size());
    for (const char32_t code : fixed) append_fixed(code, &characters);
    fixed = remove_escapes(fix_line_breaks(characters));
    std::erase_if(fixed, is_removed_control);
    fixed = normalize_nfc(std::move(fixed));
    if (fixed == text) break;
    text = std::move(fixed);
  }
  return text;
}

}  // namespace

std::u32string fix_text(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  bool unescape = true;
  for (size_t begin = 0; begin < text.size();) {
    const size_t line_end = std::min(text.find(U'\n', begin), text.size() - 1) + 1;
    const size_t end = std::min(line_end, begin + kMaxSegment);
    std::u32string segment(text.substr(begin, end - begin));
    if (segment.find(U'<') != std::u32string::npos) unescape = false;
    out += fix_segment(std::move(segment), unescape);
    begin = end;
  }
  return out;
}

}  // namespace openclip::ftfy
