#include "text/ftfy/mojibake.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "text/ftfy/badness.h"
#include "text/ftfy/byte_repair.h"
#include "text/ftfy/charmap.h"
#include "text/ftfy/tables.h"

namespace openclip::ftfy {
namespace {

bool is_c1(char32_t code) { return code >= 0x80 && code <= 0x9F; }

// The text as if its bytes in `encoding` had been read as UTF-8; nullopt if they are not UTF-8.
std::optional<std::u32string> reread_as_utf8(std::string bytes, int encoding) {
  // MacRoman is left out: an en dash before a space would match.
  if (!is_macroman(encoding)) bytes = restore_byte_a0(bytes);
  if (is_sloppy(encoding)) bytes = replace_lossy_sequences(bytes);
  return decode_utf8_variants(bytes);
}

// Length of the run of sequences that look like misread UTF-8 at `at`, in whatever encoding.
size_t clue_run(std::u32string_view text, size_t at) {
  const auto is = [&](const ClassSet& set, size_t i) {
    return i < text.size() && set.has(character_class(text[i]));
  };
  const auto continued = [&](size_t i, size_t count) {
    for (size_t k = 1; k <= count; ++k)
      if (!is(kUtf8Continuation, i + k)) return false;
    return true;
  };
  size_t i = at;
  while (i < text.size()) {
    if (is(kUtf8FirstOf2, i) && continued(i, 1))
      i += 2;
    else if (is(kUtf8FirstOf3, i) && continued(i, 2))
      i += 3;
    else if (is(kUtf8FirstOf4, i) && continued(i, 3))
      i += 4;
    else
      break;
  }
  return i - at;
}

// Repairs pieces that look like mojibake in themselves, where the whole cannot be reread.
std::u32string decode_inconsistent_utf8(std::u32string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const bool garbled = i > 0 && kUtf8ContinuationStrict.has(character_class(text[i - 1]));
    const size_t size = garbled ? 0 : clue_run(text, i);
    const std::u32string_view piece = text.substr(i, std::max<size_t>(size, 1));
    // A shorter piece only, or this would never end.
    if (size > 0 && size < text.size() && is_bad(piece))
      out += fix_encoding(std::u32string(piece));
    else
      out += piece;
    i += piece.size();
  }
  return out;
}

// Latin-1 that was meant as Windows-1252; nullopt if a byte is undefined there.
std::optional<std::u32string> latin1_as_windows1252(std::u32string_view text) {
  std::u32string out;
  for (const char32_t code : text) {
    if (code > 0xFF) return std::nullopt;
    const char32_t decoded = decode_byte(static_cast<unsigned char>(code), kWindows1252);
    if (is_c1(decoded)) return std::nullopt;
    out.push_back(decoded);
  }
  return out;
}

std::u32string fix_once(const std::u32string& text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x80; });
  if (ascii || !is_bad(text)) return text;
  for (int encoding = 0; encoding < kEncodingCount; ++encoding) {
    if (auto bytes = encode(text, encoding))
      if (auto fixed = reread_as_utf8(std::move(*bytes), encoding)) return *std::move(fixed);
  }
  if (std::u32string fixed = decode_inconsistent_utf8(text); fixed != text) return fixed;
  if (const auto fixed = latin1_as_windows1252(text); fixed && *fixed != text) return *fixed;
  std::u32string fixed = text;
  for (char32_t& code : fixed)
    if (is_c1(code)) code = decode_byte(static_cast<unsigned char>(code), kWindows1252);
  return fixed;
}

}  // namespace

std::u32string fix_encoding(std::u32string text) {
  constexpr int kMaxLayers = 64;  // far more than ever occur; bounds the time
  for (int layer = 0; layer < kMaxLayers; ++layer) {
    std::u32string fixed = fix_once(text);
    if (fixed == text) break;
    text = std::move(fixed);
  }
  return text;
}

}  // namespace openclip::ftfy
