// What a call may use of the machine; passed, never global, so that two models with different
// settings can live in one process. Rank 0.
#pragma once

#include "base/parallel.h"

namespace openclip {

/// Execution settings of a call. Cheap to copy; thread-safe because immutable.
class Context {
 public:
  /// threads: 0 = all cores available to the process.
  explicit Context(int threads = 0) : threads_(threads > 0 ? threads : available_threads()) {}
  int threads() const { return threads_; }

 private:
  int threads_;
};

}  // namespace openclip
