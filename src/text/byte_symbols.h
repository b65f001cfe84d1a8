// The printable character that stands for each byte in byte-level BPE vocabularies. Rank 3.
#pragma once

#include <array>
#include <optional>

namespace openclip {

/// Bytes that print in Latin-1 stand for themselves; the others, in order, for U+0100 and on.
/// Source: bytes_to_unicode of GPT-2 and CLIP.
char32_t byte_symbol(unsigned char byte);

/// The inverse of byte_symbol; nullopt for characters that stand for no byte.
std::optional<unsigned char> symbol_byte(char32_t symbol);

/// The bytes in the order in which CLIP numbers them: the printable ones, then the others.
const std::array<unsigned char, 256>& bytes_in_clip_order();

}  // namespace openclip
