#include "serve/http/call_queue.h"

#include "serve/http/error_reply.h"

namespace openclip {

CallQueue::CallQueue(const QueueLimits& limits) : limits_(limits) {
  for (int i = 0; i < limits_.workers; ++i) threads_.emplace_back([this] { run(); });
}

CallQueue::~CallQueue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (const Entry& entry : waiting_) entry.done(error_reply(503, "the server is stopping", "", 1));
}

bool CallQueue::push(std::shared_ptr<const Call> call, Work work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (stop_ || waiting_.size() + in_work_ >= limits_.max_requests) return false;
    waiting_.push_back({std::move(call), std::move(work), std::move(done)});
  }
  ready_.notify_one();
  return true;
}

void CallQueue::run() {
  while (true) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    ++in_work_;
    lock.unlock();
    Reply reply = answer(entry);
    // Before the answer goes out, so that a client that reads it finds the place free.
    lock.lock();
    --in_work_;
    lock.unlock();
    entry.done(std::move(reply));
  }
}

Reply CallQueue::answer(const Entry& entry) const {
  try {
    if (entry.call->abandoned()) throw gone_error();
    if (Clock::now() > entry.call->arrived + limits_.queue_timeout)
      throw busy_error("the request waited too long for its turn");
    return entry.work(*entry.call);
  } catch (...) {
    return error_reply(std::current_exception());
  }
}

size_t CallQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

size_t CallQueue::in_work() const {
  const std::lock_guard lock(mutex_);
  return in_work_;
}

bool CallQueue::full() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + in_work_ >= limits_.max_requests;
}

}  // namespace openclip
