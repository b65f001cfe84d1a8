#include "models/default_model.h"

#include <filesystem>

#include "base/environment.h"
#include "base/error.h"

namespace openclip {

namespace fs = std::filesystem;

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
  const fs::path program = program_folder();
  const fs::path build = (program / "../models/default").lexically_normal();
  const fs::path installed = (program / "../share/openclip/models/default").lexically_normal();
  for (const fs::path& folder : {build, installed})
    if (fs::is_directory(folder, none)) return folder.string();
  throw NotFound(
      fmt::format("the default model is neither in {} nor in {}; pass --model, or set "
                  "OPENCLIP_DEFAULT_MODEL to its folder",
                  build.string(), installed.string()));
}

}  // namespace openclip
