// What an HTTP server says before the body: foreign bytes, so with limits. Rank 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openclip {

/// Header fields of one response, in order of arrival.
class HttpHeaders {
 public:
  static constexpr size_t kMaxBytes = size_t{64} << 10;  // of all lines together
  static constexpr size_t kMaxFields = 256;

  /// Takes one line, with or without its line break; a status line ("HTTP/1.1 200 OK") begins anew,
  /// as interim responses (100, a proxy's CONNECT) come first. Lines without a colon are ignored.
  /// Returns false once a limit is passed; the response is then of no use.
  bool add_line(std::string_view line);

  /// The first field of this name, whatever its case, without blanks around it; empty and absent
  /// are the same.
  std::string_view get(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
  size_t bytes_ = 0;
};

/// A decimal number without sign, as in Content-Length. Empty unless all of `text` is one.
std::optional<uint64_t> parse_decimal(std::string_view text);

/// "bytes 100-199/500" of RFC 9110, section 14.4; total is empty where the server wrote '*'.
struct ContentRange {
  uint64_t first = 0, last = 0;
  std::optional<uint64_t> total;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

/// Retry-After in seconds: a number, or a date (RFC 9110, section 5.6.7) less `now_unix`, at least
/// 0.
std::optional<uint64_t> parse_retry_after(std::string_view text, int64_t now_unix);

/// ETag without the weak mark and the quotes: W/"abc" is abc.
std::string normalise_etag(std::string_view text);

}  // namespace openclip
