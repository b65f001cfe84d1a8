// Shared by the tests of src/serve.
#pragma once

#include <functional>

#include "serve/http/call.h"

namespace openclip {

/// The status that `call` is answered with: of the CallError it throws, else 200.
inline int status_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const CallError& error) {
    return error.status();
  }
  return 200;
}

}  // namespace openclip
