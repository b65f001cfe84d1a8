#include "serve/engine/batcher.h"

#include <algorithm>

namespace openclip {

// Shared by the caller and the loop, so that a caller may leave while its items are computed.
struct Batcher::Group {
  std::mutex mutex;
  std::condition_variable done;
  std::vector<float> rows;
  size_t missing = 0;
  std::exception_ptr error;
  std::atomic<bool> left{false};  // nobody waits any more
  std::shared_ptr<std::atomic<bool>> gone;
  Clock::time_point deadline;

  bool dead() const { return left || *gone || Clock::now() > deadline; }
};

Batcher::Announcement::Announcement(Batcher& batcher, BatchKind kind, size_t items)
    : batcher_(batcher), kind_(kind), items_(items) {
  const std::lock_guard lock(batcher_.mutex_);
  batcher_.lanes_[static_cast<size_t>(kind_)].announced += items_;
}

Batcher::Announcement::~Announcement() {
  {
    const std::lock_guard lock(batcher_.mutex_);
    batcher_.lanes_[static_cast<size_t>(kind_)].announced -= items_;
  }
  batcher_.changed_.notify_one();
}

Batcher::Batcher(size_t dim, BatchSettings settings, Forward forward, OnBatch on_batch)
    : dim_(dim),
      settings_(settings),
      forward_(std::move(forward)),
      on_batch_(std::move(on_batch)),
      thread_([this] { loop(); }) {}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::vector<float> Batcher::run(BatchKind kind, std::vector<BatchItem> items, const Call& call,
                                Announcement* announced) {
  if (items.empty()) return {};
  const size_t lane = static_cast<size_t>(kind);
  const auto group = std::make_shared<Group>();
  group->rows.resize(items.size() * dim_);
  group->missing = items.size();
  group->gone = call.gone;
  group->deadline = call.deadline;
  {
    std::unique_lock lock(mutex_);
    const size_t most = settings_.max_batch[lane] * settings_.max_waiting_factor;
    const bool in_time = room_.wait_until(
        lock, call.deadline, [&] { return lanes_[lane].entries.size() < most || *call.gone; });
    if (*call.gone) throw gone_error();
    if (!in_time) throw busy_error("the request's time is over; too many wait for the model");
    for (size_t row = 0; row < items.size(); ++row)
      lanes_[lane].entries.push_back({std::move(items[row]), group, row, Clock::now()});
    if (announced != nullptr) lanes_[lane].announced -= std::exchange(announced->items_, 0);
  }
  changed_.notify_one();
  std::unique_lock lock(group->mutex);
  const bool in_time =
      group->done.wait_until(lock, call.deadline, [&] { return group->missing == 0; });
  group->left = true;
  if (group->error) std::rethrow_exception(group->error);
  if (*call.gone) throw gone_error();
  if (!in_time) throw busy_error("the request's time is over; the model is too busy");
  return std::move(group->rows);
}

size_t Batcher::waiting(BatchKind kind) const {
  const std::lock_guard lock(mutex_);
  return lanes_[static_cast<size_t>(kind)].entries.size();
}

// When a lane with entries should be computed; needs mutex_.
Clock::time_point Batcher::ripe_at(size_t lane) const {
  const Lane& l = lanes_[lane];
  const Clock::time_point head = l.entries.front().arrived;
  if (l.announced == 0 || l.entries.size() >= settings_.max_batch[lane]) return head;
  return head + std::max<Clock::duration>(settings_.patience, l.item_time);
}

std::vector<Batcher::Entry> Batcher::take(size_t lane) {
  std::deque<Entry>& entries = lanes_[lane].entries;
  std::vector<Entry> batch;
  std::vector<Entry> dead;
  while (!entries.empty() && batch.size() < settings_.max_batch[lane]) {
    (entries.front().group->dead() ? dead : batch).push_back(std::move(entries.front()));
    entries.pop_front();
  }
  for (const Entry& entry : dead) {
    const std::lock_guard lock(entry.group->mutex);
    if (!entry.group->error)
      entry.group->error = std::make_exception_ptr(
          *entry.group->gone ? gone_error() : busy_error("the request's time is over"));
    if (--entry.group->missing == 0) entry.group->done.notify_all();
  }
  return batch;
}

void Batcher::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(
        lock, [&] { return stop_ || !lanes_[0].entries.empty() || !lanes_[1].entries.empty(); });
    if (lanes_[0].entries.empty() && lanes_[1].entries.empty()) return;
    size_t lane = lanes_[0].entries.empty() ? 1 : 0;
    if (!lanes_[0].entries.empty() && !lanes_[1].entries.empty())
      lane = ripe_at(0) <= ripe_at(1) ? 0 : 1;
    if (const Clock::time_point ripe = ripe_at(lane); !stop_ && ripe > Clock::now()) {
      changed_.wait_until(lock, ripe);
      continue;
    }
    std::vector<Entry> batch = take(lane);
    lock.unlock();
    room_.notify_all();
    const size_t count = batch.size();
    const Clock::time_point began = Clock::now();
    if (count > 0) compute(static_cast<BatchKind>(lane), std::move(batch));
    const Clock::duration time = Clock::now() - began;
    lock.lock();
    if (count > 0) {
      Clock::duration& mean = lanes_[lane].item_time;
      mean = (3 * mean + time / static_cast<Clock::rep>(count)) / 4;
    }
  }
}

void Batcher::compute(BatchKind kind, std::vector<Entry> batch) {
  std::vector<const BatchItem*> items;
  for (const Entry& entry : batch) items.push_back(&entry.item);
  std::vector<float> rows(batch.size() * dim_);
  std::exception_ptr error;
  const Clock::time_point began = Clock::now();
  try {
    forward_(kind, items, rows.data());
  } catch (...) {
    error = std::current_exception();
  }
  if (on_batch_)
    on_batch_(kind, batch.size(), std::chrono::duration<double>(Clock::now() - began).count());
  for (size_t i = 0; i < batch.size(); ++i) {
    Group& group = *batch[i].group;
    const std::lock_guard lock(group.mutex);
    if (error)
      group.error = error;
    else if (!group.left)
      std::copy_n(rows.data() + i * dim_, dim_, group.rows.data() + batch[i].row * dim_);
    if (--group.missing == 0) group.done.notify_all();
  }
}

}  // namespace openclip
