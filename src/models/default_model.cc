#include "models/default_model.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/environment.h"
#include "base/error.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

// Folder of the shared library that this function is part of. Of a program the loader knows what
// its caller wrote, which may be a bare name; taken as a path it would point into the current
// folder.
std::string library_folder() {
  Dl_info info{};
  const auto* here = reinterpret_cast<const void*>(&library_folder);
  if (dladdr(here, &info) == 0 || info.dli_fname == nullptr || info.dli_fname[0] != '/') return "";
  std::error_code none;
  const fs::path file = fs::canonical(info.dli_fname, none);
  return none || !file.has_parent_path() ? "" : file.parent_path().string();
}

std::vector<std::string> candidates() {
  std::vector<std::string> found;
  for (const std::string& folder : {library_folder(), program_folder()}) {
    if (folder.empty()) continue;
    for (const char* relative :
         {"../models/default", "models/default", "../share/openclip/models/default",
          "../../share/openclip/models/default"}) {
      const std::string path = (fs::path(folder) / relative).lexically_normal().string();
      if (std::find(found.begin(), found.end(), path) == found.end()) found.push_back(path);
    }
  }
  found.push_back(OPENCLIP_DATA_DIR "/models/default");
  return found;
}

}  // namespace

std::string program_folder() {
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  return none || program.empty() ? "." : program.parent_path().string();
}

std::string default_model_folder() {
  std::error_code none;
  if (const std::string chosen = environment("OPENCLIP_DEFAULT_MODEL"); !chosen.empty()) {
    if (fs::is_directory(chosen, none)) return chosen;
    throw NotFound(fmt::format("OPENCLIP_DEFAULT_MODEL={} is no folder", chosen));
  }
  const std::vector<std::string> places = candidates();
  for (const std::string& folder : places)
    if (fs::is_directory(folder, none)) return folder;
  throw NotFound(
      fmt::format("the default model is in none of {}; name a model, or set "
                  "OPENCLIP_DEFAULT_MODEL to its folder",
                  fmt::join(places, ", ")));
}

}  // namespace openclip
