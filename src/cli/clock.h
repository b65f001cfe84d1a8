// Time for rates and redrawing. Rank 7.
#pragma once

#include <chrono>

namespace openclip {

/// Seconds of a clock that only runs forward, from an arbitrary start.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace openclip
