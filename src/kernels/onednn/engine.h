// What all oneDNN wrappers share; included only in kernels/onednn. Rank 1.
#pragma once

#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>

#include "base/error.h"
#include "kernels/isa.h"

namespace openclip::kernels::onednn {

/// The processor as oneDNN sees it. The first call caps oneDNN's instruction set like Highway's.
inline const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine = [] {
    if (const auto cap = forced_isa()) {
      if (*cap == Isa::generic) dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
      if (*cap == Isa::avx2) dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
    }
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

/// Sets the OpenMP threads of this call, which is how oneDNN learns them, and restores them.
class ThreadScope {
 public:
  explicit ThreadScope(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;
  ~ThreadScope() { omp_set_num_threads(before_); }

 private:
  int before_;
};

/// Calls fn and turns oneDNN's errors into ours.
template <class F>
auto guarded(const F& fn) {
  try {
    return fn();
  } catch (const dnnl::error& error) {
    throw Internal(
        fmt::format("oneDNN: {} (status {})", error.what(), static_cast<int>(error.status)));
  }
}

}  // namespace openclip::kernels::onednn
