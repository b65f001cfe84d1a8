// Base64 (RFC 4648, section 4; reading also takes the alphabet of section 5). Rank 6.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

std::string base64_encode(std::span<const uint8_t> bytes);

/// Padding may be left out, as many clients do; anything else that is not base64 is an error.
/// `source` names the text in errors. max_bytes: of the result. Throws: ParseError.
std::vector<uint8_t> base64_decode(std::string_view text, const std::string& source,
                                   size_t max_bytes);

}  // namespace openclip
