#include "base/worker_pool.h"

#include <algorithm>
#include <chrono>

#include "base/spin.h"

namespace openclip {
namespace {

using Clock = std::chrono::steady_clock;

// Longer than the gap between two products of one tower, far shorter than a scheduler's slice.
constexpr auto kSpin = std::chrono::microseconds(50);

template <class Condition>
bool spin_until(const Condition& condition) {
  if (spin_briefly(condition)) return true;
  const auto end = Clock::now() + kSpin;
  do {
    if (condition()) return true;
    std::this_thread::yield();  // other programs may want the core
  } while (Clock::now() < end);
  return condition();
}

}  // namespace

WorkerPool& WorkerPool::instance() {
  static WorkerPool pool;
  return pool;
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void WorkerPool::Job::work() {
  for (size_t range; (range = next.fetch_add(1, std::memory_order_relaxed)) < ranges;) (*fn)(range);
}

void WorkerPool::run(size_t ranges, const std::function<void(size_t range)>& fn) {
  Job job{.fn = &fn, .ranges = ranges};
  {
    const std::lock_guard lock(mutex_);
    start_workers(ranges - 1);
    jobs_.push_back(&job);
    posted_.fetch_add(1, std::memory_order_release);
  }
  if (ranges == 2)
    wake_.notify_one();
  else
    wake_.notify_all();
  job.work();
  {
    // From here on no worker can join; those inside finish their range.
    const std::lock_guard lock(mutex_);
    std::erase(jobs_, &job);
  }
  const auto alone = [&] { return job.helpers.load(std::memory_order_acquire) == 0; };
  if (spin_until(alone)) return;
  std::unique_lock lock(mutex_);
  finished_.wait(lock, alone);
}

void WorkerPool::start_workers(size_t wanted) {
  while (workers_.size() < wanted) workers_.emplace_back([this] { worker_loop(); });
}

WorkerPool::Job* WorkerPool::take_job() {
  for (Job* job : jobs_) {
    if (!job->open()) continue;
    job->helpers.fetch_add(1, std::memory_order_relaxed);
    return job;
  }
  return nullptr;
}

void WorkerPool::worker_loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (Job* job = take_job()) {
      lock.unlock();
      job->work();
      lock.lock();
      // The caller may return, and its job vanish, as soon as the count reads zero.
      if (job->helpers.fetch_sub(1, std::memory_order_acq_rel) == 1) finished_.notify_all();
      continue;
    }
    const size_t seen = posted_.load(std::memory_order_acquire);
    lock.unlock();
    spin_until([&] { return posted_.load(std::memory_order_acquire) != seen || stop_; });
    lock.lock();
    wake_.wait(lock, [&] { return stop_ || posted_.load(std::memory_order_acquire) != seen; });
  }
}

}  // namespace openclip
