// Data parallelism for kernels, on the worker threads of base/worker_pool.h. Rank 0.
#pragma once

#include <cstddef>
#include <functional>

namespace openclip {

/// Number of cores this process may use (affinity mask and cgroup limits respected).
int available_threads();

/// Runs fn(begin, end, worker) over [0, count) split into contiguous ranges of at least `grain`
/// items on up to `threads` threads; worker is in [0, threads). With one range, or threads == 1, fn
/// runs on the caller. The first exception thrown by any range is rethrown after all have ended.
void parallel_for(int threads, size_t count, size_t grain,
                  const std::function<void(size_t begin, size_t end, int worker)>& fn);

}  // namespace openclip
