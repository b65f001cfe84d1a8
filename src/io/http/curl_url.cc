#include <memory>

#include "io/http/curl_library.h"
#include "io/http/errors.h"
#include "io/http/url.h"

namespace openclip {
namespace {

constexpr size_t kMaxUrlBytes = 16384;
constexpr size_t kShownBytes = 200;
constexpr unsigned kParseFlags = CURLU_DISALLOW_USER;

using Handle = std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)>;

[[noreturn]] void refuse(const std::string& url) {
  throw NetworkError(fmt::format("'{}' is no http or https address that can be followed",
                                 url.substr(0, kShownBytes)));
}

void set(const Handle& handle, const std::string& url) {
  const bool plain = url.size() <= kMaxUrlBytes &&
                     url.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos;
  if (!plain ||
      curl_library().url_set(handle.get(), CURLUPART_URL, url.c_str(), kParseFlags) != CURLUE_OK)
    refuse(url);
}

Handle parse(const std::string& url) {
  Handle handle(curl_library().url(), curl_library().url_cleanup);
  set(handle, url);
  return handle;
}

std::string part(const Handle& handle, CURLUPart which, unsigned flags, const std::string& url) {
  char* text = nullptr;
  if (curl_library().url_get(handle.get(), which, &text, flags) != CURLUE_OK) refuse(url);
  const std::string copy(text);
  curl_library().free(text);
  return copy;
}

std::string origin_of(const Handle& handle, const std::string& url) {
  const std::string scheme = part(handle, CURLUPART_SCHEME, 0, url);
  if (scheme != "http" && scheme != "https") refuse(url);
  std::string host = part(handle, CURLUPART_HOST, 0, url);
  for (char& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return scheme + "://" + host + ":" + part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, url);
}

}  // namespace

std::string url_origin(const std::string& url) { return origin_of(parse(url), url); }

std::string resolve_url(const std::string& base, const std::string& location) {
  const Handle handle = parse(base);
  set(handle, location);
  origin_of(handle, location);
  return part(handle, CURLUPART_URL, 0, location);
}

}  // namespace openclip
