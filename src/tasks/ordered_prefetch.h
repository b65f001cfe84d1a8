// Work done ahead by threads, delivered in order. Rank 5.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace openclip {

/// Takes tasks from `source` one at a time (never concurrently), runs `work` on `threads` threads
/// and hands the results out in the order of the tasks. At most `window` results wait or are in
/// work, which bounds the memory. Exceptions of source and work come out of next(). These are
/// threads of their own, not parallel_for's: they decode while the towers compute.
template <class Task, class Result>
class OrderedPrefetch {
 public:
  using Source = std::function<std::optional<Task>()>;
  using Work = std::function<Result(Task)>;

  OrderedPrefetch(int threads, size_t window, Source source, Work work)
      : window_(window), source_(std::move(source)), work_(std::move(work)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }
  OrderedPrefetch(const OrderedPrefetch&) = delete;
  OrderedPrefetch& operator=(const OrderedPrefetch&) = delete;

  ~OrderedPrefetch() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// The next result, or nullopt after the last one. For one consumer.
  std::optional<Result> next() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return slots_.empty() ? ended_ : slots_.front()->done; });
    if (slots_.empty()) return std::nullopt;
    const std::shared_ptr<Slot> slot = std::move(slots_.front());
    slots_.pop_front();
    lock.unlock();
    room_.notify_one();
    if (slot->error) std::rethrow_exception(slot->error);
    return std::move(slot->result);
  }

 private:
  struct Slot {
    bool done = false;
    std::optional<Result> result;
    std::exception_ptr error;
  };

  void run() {
    while (true) {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return ended_ || slots_.size() < window_; });
      if (ended_) return;
      // The slot takes its place in the queue under the same lock as its task leaves the source.
      const auto slot = std::make_shared<Slot>();
      std::optional<Task> task;
      try {
        task = source_();
      } catch (...) {
        slot->error = std::current_exception();
      }
      if (!task) end(slot);
      if (!task) return;
      slots_.push_back(slot);
      lock.unlock();
      try {
        slot->result = work_(std::move(*task));
      } catch (...) {
        slot->error = std::current_exception();
      }
      lock.lock();
      slot->done = true;
      lock.unlock();
      ready_.notify_one();
    }
  }

  // Called with the lock held, when the source has no more tasks or failed.
  void end(const std::shared_ptr<Slot>& slot) {
    ended_ = true;
    slot->done = true;
    if (slot->error) slots_.push_back(slot);
    ready_.notify_one();
    room_.notify_all();
  }

  const size_t window_;
  const Source source_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable ready_, room_;
  std::deque<std::shared_ptr<Slot>> slots_;
  bool ended_ = false;  // no task will follow
  std::vector<std::thread> threads_;
};

}  // namespace openclip
