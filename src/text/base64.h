// Base64 of RFC 4648. Rank 3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace openclip {

/// nullopt for anything but whole groups of four characters with padding at the end.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace openclip
