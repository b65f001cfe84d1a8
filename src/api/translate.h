// The engine's exceptions as those of the public API. Rank 6.
#pragma once

#include <utility>

namespace openclip::v0 {

/// To be called in a handler: throws the public twin of the engine's error that is being handled;
/// other exceptions go on as they are.
[[noreturn]] void rethrow_translated();

/// fn(), of which only public errors come out. Every function of the C++ API that can fail runs in
/// one of these, so that the engine's types stay inside the library.
template <class Fn>
decltype(auto) translated(Fn&& fn) {
  try {
    return std::forward<Fn>(fn)();
  } catch (...) {
    rethrow_translated();
  }
}

}  // namespace openclip::v0
