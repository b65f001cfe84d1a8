#include "text/charsmap.h"

#include <cstring>

#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

constexpr size_t kMaxGrapheme = 6;  // bytes; from here on characters are looked up one by one

// Fields of a darts-clone unit.
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) == 1; }
uint32_t value_of(uint32_t unit) { return unit & 0x7FFFFFFFu; }
uint32_t label_of(uint32_t unit) { return unit & 0x800000FFu; }
size_t offset_of(uint32_t unit) { return size_t{unit >> 10} << ((unit & 0x200u) >> 6); }

}  // namespace

Charsmap::Charsmap(const std::string& source, std::string_view bytes) {
  const auto fail = [&](const char* problem) {
    throw ParseError(source, fmt::format("precompiled_charsmap {}", problem));
  };
  uint32_t trie_bytes = 0;
  if (bytes.size() < sizeof(trie_bytes)) fail("has no size");
  std::memcpy(&trie_bytes, bytes.data(), sizeof(trie_bytes));
  bytes.remove_prefix(sizeof(trie_bytes));
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > bytes.size())
    fail("has a trie that does not fit into it");
  units_.resize(trie_bytes / 4);
  std::memcpy(units_.data(), bytes.data(), trie_bytes);
  texts_ = bytes.substr(trie_bytes);
  if (texts_.empty() || texts_.back() != '\0') fail("has texts without an end");
}

// What the shortest key that `text` starts with becomes.
std::optional<std::string_view> Charsmap::replacement(std::string_view text) const {
  size_t node = offset_of(units_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) break;
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) break;
    const uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size() || value_of(units_[node]) >= texts_.size()) break;
    return std::string_view(texts_.data() + value_of(units_[node]));  // ends within: see above
  }
  return std::nullopt;
}

std::string Charsmap::apply(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (size_t begin = 0; begin < text.size();) {
    const std::string_view grapheme = next_grapheme(text, &begin);
    if (grapheme.size() < kMaxGrapheme)
      if (const auto whole = replacement(grapheme)) {
        out += *whole;
        continue;
      }
    for (size_t at = 0; at < grapheme.size();) {
      const size_t from = at;
      next_code_point(grapheme, &at);
      const std::string_view character = grapheme.substr(from, at - from);
      out += replacement(character).value_or(character);
    }
  }
  return out;
}

}  // namespace openclip
