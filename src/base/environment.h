// Environment variables and the folders they choose. Rank 0.
#pragma once

#include <string>

namespace openclip {

/// Value of an environment variable; an empty one counts as unset and gives "".
std::string environment(const char* name);

/// Folder for what can be fetched or computed again: $OPENCLIP_CACHE, else
/// $XDG_CACHE_HOME/openclip, else ~/.cache/openclip. It need not exist.
std::string cache_folder();

}  // namespace openclip
