// The single-byte encodings that UTF-8 is most often misread as. Rank 3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace openclip::ftfy {

/// In the order in which they are tried: Latin-1, Windows-1252, -1251, -1250, -1253, -1254, -1257,
/// ISO-8859-2, MacRoman, code page 437. The Windows ones are "sloppy": bytes that Windows leaves
/// undefined stand for the C1 control of the same number, and U+FFFD is encoded as byte 0x1A.
inline constexpr int kEncodingCount = 10;
inline constexpr int kLatin1 = 0, kWindows1252 = 1;

bool is_sloppy(int encoding);
bool is_macroman(int encoding);

/// The bytes that read as `text` in `encoding`, or nullopt if some character is not in it.
std::optional<std::string> encode(std::u32string_view text, int encoding);

/// What a byte above 0x7F reads as.
char32_t decode_byte(unsigned char byte, int encoding);

}  // namespace openclip::ftfy
