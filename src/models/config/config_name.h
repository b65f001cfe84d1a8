// The files that say what a folder's model is. Part of rank 4.
#pragma once

namespace openclip {

inline constexpr const char* kConfigName = "open_clip_config.json";
inline constexpr const char* kTransformersConfigName = "config.json";

}  // namespace openclip
