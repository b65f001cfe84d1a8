#include "text/byte_symbols.h"

#include <cstddef>
#include <cstdint>

namespace openclip {
namespace {

constexpr bool prints(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> make_symbols() {
  std::array<char32_t, 256> symbols{};
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte)
    symbols[static_cast<size_t>(byte)] = prints(byte) ? static_cast<char32_t>(byte) : next++;
  return symbols;
}

constexpr std::array<unsigned char, 256> make_order() {
  std::array<unsigned char, 256> order{};
  size_t count = 0;
  for (const bool wanted : {true, false})
    for (int byte = 0; byte < 256; ++byte)
      if (prints(byte) == wanted) order[count++] = static_cast<unsigned char>(byte);
  return order;
}

constexpr auto kSymbols = make_symbols();
constexpr auto kOrder = make_order();

// Symbols lie below U+0144: 0x100 and one for each of the 68 bytes that do not print.
constexpr size_t kSymbolEnd = 0x144;

constexpr std::array<int16_t, kSymbolEnd> make_bytes() {
  std::array<int16_t, kSymbolEnd> bytes{};
  for (int16_t& byte : bytes) byte = -1;
  for (int16_t byte = 0; byte < 256; ++byte) bytes[kSymbols[static_cast<size_t>(byte)]] = byte;
  return bytes;
}

constexpr auto kBytes = make_bytes();

}  // namespace

char32_t byte_symbol(unsigned char byte) { return kSymbols[byte]; }
std::optional<unsigned char> symbol_byte(char32_t symbol) {
  if (symbol >= kSymbolEnd || kBytes[symbol] < 0) return std::nullopt;
  return static_cast<unsigned char>(kBytes[symbol]);
}
const std::array<unsigned char, 256>& bytes_in_clip_order() { return kOrder; }

}  // namespace openclip
