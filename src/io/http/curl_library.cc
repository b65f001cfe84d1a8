#include "io/http/curl_library.h"

#include "base/error.h"
#include "base/shared_library.h"

namespace openclip {
namespace {

CurlLibrary load_curl() {
  // One interface under three names: the TLS library behind it differs.
  const SharedLibrary library(
      {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"},
      "nothing can be downloaded without libcurl; install libcurl4 7.85 or newer");
  decltype(&::curl_global_init) global_init = nullptr;
  library.bind("curl_global_init", global_init);
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw IoError("libcurl cannot be initialised");
  CurlLibrary curl{};
  library.bind("curl_easy_init", curl.easy_init);
  library.bind("curl_easy_cleanup", curl.easy_cleanup);
  library.bind("curl_easy_reset", curl.easy_reset);
  library.bind("curl_easy_setopt", curl.easy_setopt);
  library.bind("curl_easy_perform", curl.easy_perform);
  library.bind("curl_easy_getinfo", curl.easy_getinfo);
  library.bind("curl_easy_strerror", curl.easy_strerror);
  library.bind("curl_slist_append", curl.slist_append);
  library.bind("curl_slist_free_all", curl.slist_free_all);
  library.bind("curl_url", curl.url);
  library.bind("curl_url_cleanup", curl.url_cleanup);
  library.bind("curl_url_get", curl.url_get);
  library.bind("curl_url_set", curl.url_set);
  library.bind("curl_free", curl.free);
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary curl = load_curl();
  return curl;
}

}  // namespace openclip
