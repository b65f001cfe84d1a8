#include "serve/formats/data_url.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "serve/formats/base64.h"

namespace openclip {
namespace {

constexpr size_t kMaxTypeBytes = 256;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

bool is_data_url(std::string_view text) { return same_ignoring_case(text.substr(0, 5), "data:"); }

std::vector<uint8_t> read_data_url(std::string_view url, const std::string& source,
                                   size_t max_bytes) {
  const size_t comma = url.substr(0, kMaxTypeBytes).find(',');
  if (!is_data_url(url) || comma == std::string_view::npos)
    throw ParseError(source, "expected data:image/…;base64,…");
  const std::string_view head = url.substr(5, comma - 5);
  const std::string_view data = url.substr(comma + 1);
  constexpr std::string_view kBase64 = ";base64";
  if (head.size() >= kBase64.size() &&
      same_ignoring_case(head.substr(head.size() - kBase64.size()), kBase64))
    return base64_decode(data, source, max_bytes);
  if (data.size() > 3 * max_bytes) throw ParseError(source, "the data: URL is too long");
  const std::string bytes = percent_decode(data);
  if (bytes.size() > max_bytes)
    throw ParseError(source, fmt::format("more than {} bytes", max_bytes));
  return {bytes.begin(), bytes.end()};
}

std::string percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace openclip
