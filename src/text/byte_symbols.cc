#include "text/byte_symbols.h"

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

}  // namespace

char32_t byte_symbol(unsigned char byte) { return kSymbols[byte]; }
const std::array<unsigned char, 256>& bytes_in_clip_order() { return kOrder; }

}  // namespace openclip
