// Undoing UTF-8 that was read as a single-byte encoding. Rank 3.
#pragma once

#include <string>

namespace openclip::ftfy {

/// Repairs mojibake, layer by layer, until nothing changes. Text that does not look broken comes
/// back as it is. Source: ftfy.fix_encoding with default options.
std::u32string fix_encoding(std::u32string text);

}  // namespace openclip::ftfy
