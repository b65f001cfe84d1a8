#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/error.h"
#include "text/code_ranges.h"
#include "text/utf8.h"

namespace openclip {
namespace {

#include "text/unicode_ranges.inc"

// Latin text is the usual case: its classes come from a table of the first 1024 code points.
constexpr char32_t kTableSize = 0x400;
enum ClassBit : uint8_t { kLetterBit = 1, kNumberBit = 2 };

const std::array<uint8_t, kTableSize>& class_table() {
  static const auto table = [] {
    std::array<uint8_t, kTableSize> bits{};
    for (char32_t code = 0; code < kTableSize; ++code)
      bits[code] = static_cast<uint8_t>((contains(kLetters, code) ? kLetterBit : 0) |
                                        (contains(kNumbers, code) ? kNumberBit : 0));
    return bits;
  }();
  return table;
}

std::u32string normalize(std::u32string text, int form) {
  // Nothing below U+0300 changes under NFC or combines with what follows.
  const bool stable = std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x300; });
  if (stable && (form & (UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE)) == 0) return text;
  const std::string bytes = encode_utf8(text);
  utf8proc_uint8_t* raw = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                                 static_cast<utf8proc_ssize_t>(bytes.size()), &raw,
                                 static_cast<utf8proc_option_t>(form));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(raw, std::free);
  if (size == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  if (size < 0) throw Internal(fmt::format("[normalize] utf8proc: {}", utf8proc_errmsg(size)));
  return decode_utf8({reinterpret_cast<const char*>(raw), static_cast<size_t>(size)});
}

// A capital sigma is final when a cased letter precedes it and none follows, both seen through
// case-ignorable characters such as apostrophes and accents.
bool is_final_sigma(std::u32string_view text, size_t at) {
  size_t before = at;
  while (before > 0 && contains(kCaseIgnorable, text[before - 1])) --before;
  if (before == 0 || !contains(kCased, text[before - 1])) return false;
  size_t after = at + 1;
  while (after < text.size() && contains(kCaseIgnorable, text[after])) ++after;
  return after == text.size() || !contains(kCased, text[after]);
}

char32_t lower_one(char32_t code) {
  if (code < 0x80) return code >= U'A' && code <= U'Z' ? code + 32 : code;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

}  // namespace

bool is_letter(char32_t code) {
  return code < kTableSize ? (class_table()[code] & kLetterBit) != 0 : contains(kLetters, code);
}

bool is_number(char32_t code) {
  return code < kTableSize ? (class_table()[code] & kNumberBit) != 0 : contains(kNumbers, code);
}

bool is_py_space(char32_t code) {
  if (code <= 0x20) return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20);
  if (code < 0x1680) return code == 0x85 || code == 0xA0;
  return code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_decimal(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_ND;
}

std::u32string py_lower(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x03A3)
      out.push_back(is_final_sigma(text, i) ? 0x03C2 : 0x03C3);
    else if (text[i] == 0x0130)
      out.append(U"i\u0307");
    else
      out.push_back(lower_one(text[i]));
  }
  return out;
}

std::u32string simple_lower(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t code : text) {
    if (code == 0x0130)
      out.append(U"i\u0307");
    else
      out.push_back(lower_one(code));
  }
  return out;
}

std::u32string normalize_nfc(std::u32string text) {
  return normalize(std::move(text), UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

std::u32string normalize_nfd(std::u32string text) {
  return normalize(std::move(text), UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
}

std::u32string normalize_nfkc(std::u32string text) {
  return normalize(std::move(text), UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
}

std::u32string normalize_nfkd(std::u32string text) {
  return normalize(std::move(text), UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
}

std::string_view next_grapheme(std::string_view text, size_t* begin) {
  const size_t from = *begin;
  if (from >= text.size()) return {};
  char32_t before = next_code_point(text, begin);
  utf8proc_int32_t state = 0;
  for (size_t at = *begin; at < text.size(); *begin = at) {
    const char32_t code = next_code_point(text, &at);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before),
                                         static_cast<utf8proc_int32_t>(code), &state))
      break;
    before = code;
  }
  return text.substr(from, *begin - from);
}

std::u32string collapse_spaces(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  bool space = false;
  for (const char32_t code : text) {
    if (is_py_space(code)) {
      space = true;
      continue;
    }
    if (space && !out.empty()) out.push_back(U' ');
    space = false;
    out.push_back(code);
  }
  return out;
}

std::u32string_view strip_spaces(std::u32string_view text) {
  while (!text.empty() && is_py_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_py_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace openclip
