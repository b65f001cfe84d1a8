// libcurl, loaded when it is first needed: at link time it brings some thirty libraries, which
// would cost every start of the program about 10 ms. Only the curl_* files of this folder know
// libcurl. Rank 3.
#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace openclip {

/// The functions of libcurl that are used, by their names without "curl_".
struct CurlLibrary {
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_url) url;
  decltype(&::curl_url_cleanup) url_cleanup;
  decltype(&::curl_url_get) url_get;
  decltype(&::curl_url_set) url_set;
  decltype(&::curl_free) free;
};

/// Loads and initialises libcurl once per process; thread-safe.
/// Throws: Unsupported naming the Debian package if it is not installed.
const CurlLibrary& curl_library();

}  // namespace openclip
