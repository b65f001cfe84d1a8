#include "serve/formats/query_string.h"

#include <algorithm>
#include <charconv>

#include "serve/formats/data_url.h"
#include "serve/http/call.h"

namespace openclip {

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) == name)
      return percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return "";
}

int64_t parse_number(std::string_view text, std::string_view what, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most)
    throw CallError(400,
                    fmt::format("'{}' must be a whole number from {} to {}", what, least, most),
                    std::string(what));
  return value;
}

int64_t query_number(std::string_view query, std::string_view name, int64_t fallback, int64_t least,
                     int64_t most) {
  const std::string text = query_value(query, name);
  return text.empty() ? fallback : parse_number(text, name, least, most);
}

}  // namespace openclip
