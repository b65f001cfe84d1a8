#include "text/ftfy/charmap.h"

#include <algorithm>
#include <array>
#include <utility>

#include "text/ftfy/tables.h"

namespace openclip::ftfy {
namespace {

using Encoder = std::array<std::pair<char16_t, uint8_t>, 128>;  // sorted by character

const Encoder& encoder(int encoding) {
  static const auto encoders = [] {
    std::array<Encoder, kEncodingCount - 1> all;
    for (size_t e = 0; e < all.size(); ++e) {
      for (size_t i = 0; i < 128; ++i)
        all[e][i] = {kCharmaps[e].decoded[i], static_cast<uint8_t>(0x80 + i)};
      std::sort(all[e].begin(), all[e].end());
    }
    return all;
  }();
  return encoders[static_cast<size_t>(encoding - 1)];
}

}  // namespace

bool is_sloppy(int encoding) { return encoding > 0 && kCharmaps[encoding - 1].sloppy; }
bool is_macroman(int encoding) { return encoding > 0 && kCharmaps[encoding - 1].is_macroman; }

std::optional<std::string> encode(std::u32string_view text, int encoding) {
  constexpr char32_t kSubstitute = 0x1A;
  std::string bytes;
  bytes.reserve(text.size());
  const bool sloppy = is_sloppy(encoding);
  for (const char32_t code : text) {
    if (code < 0x80 && !(sloppy && code == kSubstitute)) {
      bytes.push_back(static_cast<char>(code));
    } else if (sloppy && code == 0xFFFD) {
      bytes.push_back(static_cast<char>(kSubstitute));
    } else if (encoding == kLatin1) {
      if (code > 0xFF) return std::nullopt;
      bytes.push_back(static_cast<char>(code));
    } else {
      const Encoder& table = encoder(encoding);
      const auto found =
          std::lower_bound(table.begin(), table.end(), code,
                           [](const auto& entry, char32_t wanted) { return entry.first < wanted; });
      if (found == table.end() || found->first != code) return std::nullopt;
      bytes.push_back(static_cast<char>(found->second));
    }
  }
  return bytes;
}

char32_t decode_byte(unsigned char byte, int encoding) {
  if (byte < 0x80 || encoding == kLatin1) return byte;
  return kCharmaps[encoding - 1].decoded[byte - 0x80];
}

}  // namespace openclip::ftfy
