// How many threads may do a heavy thing at once. Rank 6.
#pragma once

#include <condition_variable>
#include <mutex>

#include "serve/http/call.h"

namespace openclip {

/// A counting semaphore that gives up at a call's deadline.
class Gate {
 public:
  explicit Gate(int places) : free_(places) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(gate) {}
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() {
      {
        const std::lock_guard lock(gate_.mutex_);
        ++gate_.free_;
      }
      gate_.changed_.notify_one();
    }

   private:
    Gate& gate_;
  };

  /// Blocks until there is a place. Throws: CallError 503 at the deadline, 499 for a client that
  /// has gone.
  Pass enter(const Call& call) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, call.deadline, [&] { return free_ > 0; }))
      throw busy_error("the request's time is over; the server is too busy");
    if (call.abandoned()) {
      changed_.notify_one();
      throw gone_error();
    }
    --free_;
    return Pass(*this);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int free_;
};

}  // namespace openclip
