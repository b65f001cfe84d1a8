#include "text/html.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "text/utf8.h"

namespace openclip {
namespace {

struct Entity {
  std::string_view name;  // without '&', with ';' where it is required
  std::u32string_view text;
};

#include "text/html_entities.inc"

template <size_t n>
std::optional<std::u32string_view> find_entity(const Entity (&table)[n], std::string_view name) {
  const auto* found =
      std::lower_bound(std::begin(table), std::end(table), name,
                       [](const Entity& e, std::string_view wanted) { return e.name < wanted; });
  if (found == std::end(table) || found->name != name) return std::nullopt;
  return found->text;
}

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

int hex_value(char32_t c) {
  if (is_digit(c)) return static_cast<int>(c - U'0');
  if (c >= U'a' && c <= U'f') return static_cast<int>(c - U'a' + 10);
  if (c >= U'A' && c <= U'F') return static_cast<int>(c - U'A' + 10);
  return -1;
}

void append_number(uint32_t number, std::u32string* out) {
  for (const auto& [code, text] : kNumericReplacements)
    if (code == number) return out->push_back(text);
  if (number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
    return out->push_back(kReplacementCharacter);
  if (!std::binary_search(std::begin(kNumericDropped), std::end(kNumericDropped), number))
    out->push_back(number);
}

// Reads "#123;" or "#x1F;" at `at` (past the '&'); returns the position after it, or `at` if there
// is none. Numbers too large for Unicode saturate.
size_t read_numeric(std::u32string_view text, size_t at, std::u32string* out) {
  size_t i = at + 1;
  const bool hex = i < text.size() && (text[i] == U'x' || text[i] == U'X');
  if (hex) ++i;
  const size_t digits = i;
  uint32_t number = 0;
  for (; i < text.size(); ++i) {
    const int digit = hex ? hex_value(text[i]) : is_digit(text[i]) ? hex_value(text[i]) : -1;
    if (digit < 0) break;
    number = std::min<uint32_t>(number * (hex ? 16 : 10) + static_cast<uint32_t>(digit), 0x200000);
  }
  if (i == digits) return at;
  append_number(number, out);
  return i < text.size() && text[i] == U';' ? i + 1 : i;
}

bool ends_name(char32_t c) {
  return c == U'\t' || c == U'\n' || c == U'\f' || c == U' ' || c == U'<' || c == U'&' ||
         c == U'#' || c == U';';
}

// Reads the longest known name at `at`; returns the position after it, or `at` if none is known.
size_t read_name(std::u32string_view text, size_t at, std::u32string* out) {
  constexpr size_t kMaxName = 32;
  size_t end = at;
  while (end < text.size() && end - at < kMaxName && !ends_name(text[end])) ++end;
  if (end == at) return at;
  if (end < text.size() && text[end] == U';') ++end;
  // A name has only ASCII characters: a longer prefix cannot match.
  std::string name;
  for (size_t i = at; i < end && text[i] < 0x80; ++i) name.push_back(static_cast<char>(text[i]));
  const size_t whole = end - at;
  for (; name.size() >= 2 || (name.size() == whole && whole > 0); name.pop_back()) {
    if (const auto found = find_entity(kEntities, name)) {
      out->append(*found);
      return at + name.size();
    }
  }
  return at;
}

}  // namespace

std::u32string html_unescape(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text[i] == U'&' && i + 1 < text.size()) {
      const size_t begin = i + 1;
      const size_t end =
          text[begin] == U'#' ? read_numeric(text, begin, &out) : read_name(text, begin, &out);
      if (end > begin) {
        i = end;
        continue;
      }
    }
    out.push_back(text[i++]);
  }
  return out;
}

std::u32string unescape_unambiguous(std::u32string_view text) {
  constexpr size_t kMaxName = 24;
  const auto is_name = [](char32_t c) {
    return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  };
  std::u32string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text[i] != U'&') {
      out.push_back(text[i++]);
      continue;
    }
    size_t end = i + 1;
    const bool numeric = end < text.size() && text[end] == U'#';
    if (numeric) ++end;
    const size_t name_begin = end;
    while (end < text.size() && end - name_begin < kMaxName && is_name(text[end])) ++end;
    if (end == name_begin || end == text.size() || text[end] != U';') {
      out.push_back(text[i++]);
      continue;
    }
    ++end;
    const std::u32string_view reference = text.substr(i, end - i);
    if (numeric) {
      const std::u32string decoded = html_unescape(reference);
      // A semicolon left over means that only part of it was a number.
      out.append(decoded.find(U';') == std::u32string::npos ? decoded : reference);
    } else {
      const std::string name = encode_utf8(reference.substr(1));
      auto found = find_entity(kEntities, name);
      if (!found) found = find_entity(kCapitalEntities, name);
      out.append(found ? *found : reference);
    }
    i = end;
  }
  return out;
}

}  // namespace openclip
