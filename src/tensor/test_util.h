// Shared by the op tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/error.h"

namespace openclip {

/// The text of the InvalidArgument that `call` throws; a failure if it throws none.
inline std::string rejection(const std::function<void()>& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  ADD_FAILURE() << "was accepted";
  return "";
}

}  // namespace openclip
