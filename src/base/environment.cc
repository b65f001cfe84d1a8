#include "base/environment.h"

#include <cstdlib>

namespace openclip {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string cache_folder() {
  if (const std::string folder = environment("OPENCLIP_CACHE"); !folder.empty()) return folder;
  if (const std::string folder = environment("XDG_CACHE_HOME"); !folder.empty())
    return folder + "/openclip";
  return environment("HOME") + "/.cache/openclip";
}

}  // namespace openclip
