#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "base/worker_pool.h"

namespace openclip {
namespace {

// CPU quota of the cgroup (v2), rounded up; 0 = none.
int cgroup_quota() {
  std::ifstream in("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0) return 0;
  try {
    return static_cast<int>((std::stod(quota) + period - 1) / period);
  } catch (const std::exception&) {
    return 0;
  }
}

}  // namespace

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = sched_getaffinity(0, sizeof(set), &set) == 0
                  ? CPU_COUNT(&set)
                  : static_cast<int>(std::thread::hardware_concurrency());
  if (const int quota = cgroup_quota(); quota > 0) count = std::min(count, quota);
  return std::max(count, 1);
}

void parallel_for(int threads, size_t count, size_t grain,
                  const std::function<void(size_t begin, size_t end, int worker)>& fn) {
  if (count == 0) return;
  const size_t ranges =
      std::min<size_t>(std::max(threads, 1), (count + grain - 1) / std::max<size_t>(grain, 1));
  if (ranges <= 1) return fn(0, count, 0);
  std::exception_ptr first_error;
  std::mutex error_mutex;
  WorkerPool::instance().run(ranges, [&](size_t range) {
    try {
      fn(count * range / ranges, count * (range + 1) / ranges, static_cast<int>(range));
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!first_error) first_error = std::current_exception();
    }
  });
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace openclip
