// "?a=b&c=d". Rank 6.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace openclip {

/// The decoded value of the first `name`, "" when absent.
std::string query_value(std::string_view query, std::string_view name);

/// A whole number within [least, most], or `fallback` when absent.
/// Throws: CallError 400 for anything else.
int64_t query_number(std::string_view query, std::string_view name, int64_t fallback, int64_t least,
                     int64_t most);

/// The whole text as a whole number. Throws: CallError 400 naming `what`.
int64_t parse_number(std::string_view text, std::string_view what, int64_t least, int64_t most);

}  // namespace openclip
