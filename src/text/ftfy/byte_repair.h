// Repairs of bytes that were almost UTF-8 before they were misread, and the forgiving decoder.
// Rank 3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace openclip::ftfy {

/// Puts byte A0 back where some program took it for a space inside a UTF-8 sequence.
std::string restore_byte_a0(std::string_view bytes);

/// Replaces UTF-8 sequences in which bytes were lost (0x1A, sometimes '?') by U+FFFD in UTF-8.
std::string replace_lossy_sequences(std::string_view bytes);

/// Strict UTF-8, except that surrogate pairs encoded one by one (CESU-8) and Java's two-byte NUL
/// are accepted. nullopt if the bytes are not that.
std::optional<std::u32string> decode_utf8_variants(std::string_view bytes);

}  // namespace openclip::ftfy
