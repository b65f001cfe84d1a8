// Addresses, read by the same parser that connects to them, so that no spelling can mean one host
// here and another there. Rank 3.
#pragma once

#include <string>
#include <string_view>

namespace openclip {

/// "https://host:443": what decides whether two addresses are one place. Only http and https, no
/// user name inside. Throws: NetworkError naming the address otherwise.
std::string url_origin(const std::string& url);

/// The absolute address that a Location header means on a page of `base`. Same rules and errors.
std::string resolve_url(const std::string& base, const std::string& location);

/// Bytes other than letters, digits, "-._~" and those of `keep` as %XX.
std::string percent_encode(std::string_view text, std::string_view keep = "");

}  // namespace openclip
