// data: URLs (RFC 2397). Rank 6.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

bool is_data_url(std::string_view text);

/// The bytes of "data:[TYPE][;param]…[;base64],DATA"; what the type says is ignored, since decoders
/// look at the bytes. `source` names it in errors. Throws: ParseError.
std::vector<uint8_t> read_data_url(std::string_view url, const std::string& source,
                                   size_t max_bytes);

/// "%C3%A9" -> "é"; of a query also '+' -> ' '. Broken escapes stay as they are.
std::string percent_decode(std::string_view text, bool plus_is_blank = false);

}  // namespace openclip
