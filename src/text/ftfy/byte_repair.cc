#include "text/ftfy/byte_repair.h"

#include <array>
#include <cstdint>
#include <span>

#include "text/utf8.h"

namespace openclip::ftfy {
namespace {

// One position of a byte pattern: a range, and bytes that stand for a lost one.
struct ByteSet {
  uint8_t low, high;
  std::string_view also = {};
  bool has(uint8_t byte) const {
    return (byte >= low && byte <= high) ||
           also.find(static_cast<char>(byte)) != std::string_view::npos;
  }
};

struct BytePattern {
  size_t size;
  std::array<ByteSet, 4> sets;
};

constexpr ByteSet only(uint8_t byte) { return {byte, byte}; }
constexpr ByteSet any_of(std::string_view bytes) { return {1, 0, bytes}; }

constexpr ByteSet kSpace = only(0x20);
constexpr ByteSet kContinuation = {0x80, 0xBF};
// Without 85 and A0, whose characters already look like spaces.
constexpr std::string_view kInnerBytes =
    "\x80\x81\x82\x83\x84\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97"
    "\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f";
constexpr ByteSet kInner = {0xA1, 0xBF, kInnerBytes};

// Only lead bytes that make a likely character with A0.
constexpr BytePattern kAlteredPatterns[] = {
    {2, {any_of("\xc2\xc3\xc5\xce\xd0\xd9"), kSpace}},
    {3, {any_of("\xe2\xe3"), kSpace, kInner}},
    {3, {ByteSet{0xE0, 0xE3}, kInner, kSpace}},
    {4, {only(0xF0), kSpace, kContinuation, kContinuation}},
    {4, {only(0xF0), kContinuation, kSpace, kContinuation}},
    {4, {only(0xF0), kContinuation, kContinuation, kSpace}},
};

constexpr ByteSet kLost = any_of("\x1a?");
constexpr ByteSet kMaybeLost = {0x80, 0xBF, "\x1a"};

// '?' may stand for a lost byte at most once in a sequence.
constexpr BytePattern kLossyPatterns[] = {
    {3, {ByteSet{0xE0, 0xEF}, kLost, kMaybeLost}},
    {3, {ByteSet{0xE0, 0xEF}, kMaybeLost, kLost}},
    {4, {ByteSet{0xF0, 0xF4}, kLost, kMaybeLost, kMaybeLost}},
    {4, {ByteSet{0xF0, 0xF4}, kMaybeLost, kLost, kMaybeLost}},
    {4, {ByteSet{0xF0, 0xF4}, kMaybeLost, kMaybeLost, kLost}},
    {1, {only(0x1A)}},
};
constexpr BytePattern kLossyShortPatterns[] = {
    {2, {ByteSet{0xC2, 0xDF}, only(0x1A)}},
    {2, {ByteSet{0xC2, 0xC3}, only('?')}},
};

uint8_t at(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

bool matches(const BytePattern& pattern, std::string_view bytes, size_t begin) {
  if (bytes.size() - begin < pattern.size) return false;
  for (size_t i = 0; i < pattern.size; ++i)
    if (!pattern.sets[i].has(at(bytes, begin + i))) return false;
  return true;
}

size_t match_length(std::span<const BytePattern> patterns, std::string_view bytes, size_t begin) {
  for (const BytePattern& pattern : patterns)
    if (matches(pattern, bytes, begin)) return pattern.size;
  return 0;
}

// A surrogate pair, each half as three bytes, with one or more of the last bytes lost.
bool is_lossy_pair(std::string_view bytes, size_t begin) {
  if (bytes.size() - begin < 6) return false;
  constexpr ByteSet kLostOrNot = {0x80, 0xBF, "\x1a?"};
  const uint8_t third = at(bytes, begin + 2), sixth = at(bytes, begin + 5);
  return at(bytes, begin) == 0xED && ByteSet{0xA0, 0xAF}.has(at(bytes, begin + 1)) &&
         at(bytes, begin + 3) == 0xED && ByteSet{0xB0, 0xBF}.has(at(bytes, begin + 4)) &&
         kLostOrNot.has(third) && kLostOrNot.has(sixth) && (kLost.has(third) || kLost.has(sixth));
}

size_t lossy_length(std::string_view bytes, size_t begin) {
  if (const size_t size = match_length(kLossyShortPatterns, bytes, begin)) return size;
  if (is_lossy_pair(bytes, begin)) return 6;
  return match_length(kLossyPatterns, bytes, begin);
}

// "Ã " alone is most often "à" followed by a space of its own. The words are Portuguese, where
// it begins a contraction.
std::string restore_a_grave(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    out.push_back(bytes[i]);
    if (at(bytes, i) != 0xC3 || i + 1 >= bytes.size() || bytes[i + 1] != ' ') continue;
    const std::string_view rest = bytes.substr(i + 2);
    bool excepted = false;
    for (const char* word : {" ", "quele", "quela", "quilo", "s "})
      excepted = excepted || rest.starts_with(word);
    if (!excepted) out.push_back('\xA0');
  }
  return out;
}

// ftfy's expressions let a newline at the very end stand for the last byte of the two sequences
// that its decoder knows beyond UTF-8, and so lose it; ids depend on that.
bool is_last_newline(std::string_view bytes, size_t i) {
  return i + 1 == bytes.size() && bytes[i] == '\n';
}

bool is_cesu_pair(std::string_view bytes, size_t begin) {
  return bytes.size() - begin >= 6 && at(bytes, begin) == 0xED &&
         ByteSet{0xA0, 0xAF}.has(at(bytes, begin + 1)) && kContinuation.has(at(bytes, begin + 2)) &&
         at(bytes, begin + 3) == 0xED && ByteSet{0xB0, 0xBF}.has(at(bytes, begin + 4)) &&
         (kContinuation.has(at(bytes, begin + 5)) || is_last_newline(bytes, begin + 5));
}

bool is_java_null(std::string_view bytes, size_t begin) {
  return bytes.size() - begin >= 2 && at(bytes, begin) == 0xC0 &&
         (at(bytes, begin + 1) == 0x80 || is_last_newline(bytes, begin + 1));
}

}  // namespace

std::string restore_byte_a0(std::string_view bytes) {
  std::string out = restore_a_grave(bytes);
  for (size_t i = 0; i < out.size();) {
    const size_t size = match_length(kAlteredPatterns, out, i);
    for (size_t j = i; j < i + size; ++j)
      if (out[j] == ' ') out[j] = '\xA0';
    i += size > 0 ? size : 1;
  }
  return out;
}

std::string replace_lossy_sequences(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size();) {
    const size_t size = lossy_length(bytes, i);
    if (size > 0)
      append_utf8(kReplacementCharacter, &out);
    else
      out.push_back(bytes[i]);
    i += size > 0 ? size : 1;
  }
  return out;
}

std::optional<std::u32string> decode_utf8_variants(std::string_view bytes) {
  std::u32string out;
  out.reserve(bytes.size());
  bool valid = true;
  for (size_t i = 0; i < bytes.size() && valid;) {
    if (is_cesu_pair(bytes, i)) {
      // 11101101 1010abcd 10efghij 11101101 1011klmn 10opqrst, plus 0x10000
      out.push_back(0x10000 + ((at(bytes, i + 1) & 0x0Fu) << 16) +
                    ((at(bytes, i + 2) & 0x3Fu) << 10) + ((at(bytes, i + 4) & 0x0Fu) << 6) +
                    (at(bytes, i + 5) & 0x3Fu));
      i += 6;
    } else if (is_java_null(bytes, i)) {
      out.push_back(0);
      i += 2;
    } else {
      out.push_back(next_code_point(bytes, &i, &valid));
    }
  }
  if (!valid) return std::nullopt;
  return out;
}

}  // namespace openclip::ftfy
