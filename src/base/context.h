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

  /// The same with large products by Strassen's algorithm (kernels/matmul.h): faster, and the last
  /// bits of a result depend on what is computed beside it. For callers whose results are of
  /// everything they compute at once.
  Context with_strassen() const {
    Context context(*this);
    context.strassen_ = true;
    return context;
  }
  bool strassen() const { return strassen_; }

 private:
  int threads_;
  bool strassen_ = false;
};

}  // namespace openclip
