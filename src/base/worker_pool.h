// Worker threads behind parallel_for. Rank 0; use base/parallel.h instead.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace openclip {

/// Threads that help callers with their ranges. The caller works too and takes whatever range no
/// worker has begun, so a worker that the system does not schedule costs nothing but its help.
/// Workers spin for some microseconds after a job, since the next product of a tower follows at
/// once, and then sleep: a waiting thread must not take a core from other programs.
class WorkerPool {
 public:
  /// The pool of the process. It holds no state between jobs and starts threads when first needed.
  static WorkerPool& instance();

  WorkerPool() = default;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  /// Runs fn(range) once for each range in [0, ranges), on the caller and up to ranges - 1 workers.
  /// fn must not throw.
  void run(size_t ranges, const std::function<void(size_t range)>& fn);

 private:
  struct Job {
    const std::function<void(size_t)>* fn;
    size_t ranges;
    std::atomic<size_t> next{0};     // first range that nobody has begun
    std::atomic<size_t> helpers{0};  // workers inside this job

    void work();
    bool open() const { return next.load(std::memory_order_relaxed) < ranges; }
  };

  void start_workers(size_t wanted);
  void worker_loop();
  Job* take_job();  // joins an open job, or nullptr; needs mutex_

  std::mutex mutex_;
  std::condition_variable wake_;      // a job was posted
  std::condition_variable finished_;  // some job lost its last helper
  std::vector<Job*> jobs_;
  std::vector<std::thread> workers_;
  std::atomic<size_t> posted_{0};  // counts jobs, for workers that spin
  std::atomic<bool> stop_{false};
};

}  // namespace openclip
