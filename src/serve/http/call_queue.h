// Requests that wait for a thread. Rank 6.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/http/call.h"
#include "serve/http/limits.h"

namespace openclip {

/// A bounded queue in front of some threads. A request that does not fit is refused at once; one
/// that waited too long, or whose client has gone, is told so instead of being worked on.
class CallQueue {
 public:
  using Work = std::function<Reply(const Call&)>;
  using Done = std::function<void(Reply)>;  // called on a thread of the queue

  explicit CallQueue(const QueueLimits& limits);
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;
  /// Answers what waits with 503 and lets what runs end.
  ~CallQueue();

  /// False if max_requests wait or are in work; then nothing is called.
  bool push(std::shared_ptr<const Call> call, Work work, Done done);

  size_t waiting() const;
  size_t in_work() const;
  bool full() const;

 private:
  struct Entry {
    std::shared_ptr<const Call> call;
    Work work;
    Done done;
  };
  void run();
  Reply answer(const Entry& entry) const;

  const QueueLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Entry> waiting_;
  size_t in_work_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace openclip
