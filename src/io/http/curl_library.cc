#include "io/http/curl_library.h"

#include <dlfcn.h>

#include "base/error.h"

namespace openclip {
namespace {

void* open_library() {
  // One interface under three names: the TLS library behind it differs.
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"})
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  throw Unsupported("libcurl is not installed, so nothing can be downloaded; install libcurl4");
}

template <class Function>
void bind(void* library, const char* name, Function& function) {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr)
    throw Unsupported(fmt::format("this libcurl has no {}; install libcurl4 7.85 or newer", name));
  function = reinterpret_cast<Function>(symbol);
}

CurlLibrary load() {
  void* library = open_library();  // stays for the life of the process
  decltype(&::curl_global_init) global_init = nullptr;
  bind(library, "curl_global_init", global_init);
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw IoError("libcurl cannot be initialised");
  CurlLibrary curl{};
  bind(library, "curl_easy_init", curl.easy_init);
  bind(library, "curl_easy_cleanup", curl.easy_cleanup);
  bind(library, "curl_easy_reset", curl.easy_reset);
  bind(library, "curl_easy_setopt", curl.easy_setopt);
  bind(library, "curl_easy_perform", curl.easy_perform);
  bind(library, "curl_easy_getinfo", curl.easy_getinfo);
  bind(library, "curl_easy_strerror", curl.easy_strerror);
  bind(library, "curl_slist_append", curl.slist_append);
  bind(library, "curl_slist_free_all", curl.slist_free_all);
  bind(library, "curl_url", curl.url);
  bind(library, "curl_url_cleanup", curl.url_cleanup);
  bind(library, "curl_url_get", curl.url_get);
  bind(library, "curl_url_set", curl.url_set);
  bind(library, "curl_free", curl.free);
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary curl = load();
  return curl;
}

}  // namespace openclip
