// Any bytes as what a server answers: header lines, their values, a redirect's address, and the
// API's JSON. What comes out of them as a name must stay inside the cache.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/http/url.h"
#include "io/hub/protocol.h"

namespace {

void must(bool ok) {
  if (!ok) std::abort();
}

void read_headers(std::string_view text) {
  openclip::HttpHeaders headers;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    if (!headers.add_line(text.substr(begin, end - begin))) return;
    begin = end;
  }
  if (const auto range = openclip::parse_content_range(headers.get("Content-Range")))
    must(range->first <= range->last && (!range->total || range->last < *range->total));
  openclip::parse_retry_after(headers.get("Retry-After"), 0);
  try {
    const auto info = openclip::parse_file_info("fuzz", headers, false);
    must(info.etag.find('/') == std::string::npos && info.etag.front() != '.');
    must(info.commit.find('/') == std::string::npos && info.commit.front() != '.');
    openclip::etag_checksum(info.etag);
  } catch (const openclip::Error&) {
  }
  try {
    const auto url =
        openclip::resolve_url("https://hub.example/a/b", std::string(headers.get("Location")));
    must(url.starts_with("http://") || url.starts_with("https://"));
    openclip::url_origin(url);
  } catch (const openclip::Error&) {
  }
}

void read_listing(std::string_view text) {
  try {
    for (const std::string& file : openclip::parse_listing("fuzz", text).files)
      must(file.front() != '/' && ("/" + file + "/").find("/../") == std::string::npos);
  } catch (const openclip::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_headers(text);
  read_listing(text);
  return 0;
}
