// Pictures and texts of many requests, computed together. Rank 6.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "serve/http/call.h"

namespace openclip {

/// One row of a batch: pixels of a picture, or the token ids of a text.
struct BatchItem {
  std::vector<float> pixels{};
  std::vector<int32_t> ids{};
};

enum class BatchKind { image = 0, text = 1 };

struct BatchSettings {
  std::array<size_t, 2> max_batch = {32, 256};  // pictures, texts
  size_t max_waiting_factor = 4;                // waiting items at most, in batches
  std::chrono::microseconds patience{2000};     // see Batcher
};

/// A thread that runs the towers. While one batch is computed, the items of other requests gather
/// and become the next batch, so that under load batches grow by themselves and nobody waits for
/// the sake of it. Only when some requests have announced items that are not there yet (pictures
/// being decoded) does a batch wait for them: at most `patience`, or the time that one item took of
/// late if that is longer, since by itself it would cost as much. Of two kinds that are ready the
/// one that waited longest goes first. Thread-safe.
class Batcher {
 public:
  /// Fills out [items, dim] with the features of the items.
  using Forward = std::function<void(BatchKind, std::span<const BatchItem* const>, float* out)>;
  using OnBatch = std::function<void(BatchKind, size_t items, double seconds)>;

  Batcher(size_t dim, BatchSettings settings, Forward forward, OnBatch on_batch = {});
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;
  ~Batcher();

  /// While it lives, or until run() has taken it, so many more items of the kind are expected.
  class Announcement {
   public:
    Announcement(Batcher& batcher, BatchKind kind, size_t items);
    Announcement(const Announcement&) = delete;
    Announcement& operator=(const Announcement&) = delete;
    ~Announcement();

   private:
    friend class Batcher;
    Batcher& batcher_;
    BatchKind kind_;
    size_t items_;  // 0 once they have come
  };

  /// Features [items, dim] in the order of the items; blocks. While too many items wait, their
  /// owners wait outside. Throws: CallError 503 at the call's deadline, 499 when its client has
  /// gone (its items are then not computed); what Forward threw.
  std::vector<float> run(BatchKind kind, std::vector<BatchItem> items, const Call& call,
                         Announcement* announced = nullptr);

  size_t waiting(BatchKind kind) const;

 private:
  struct Group;  // the items of one call
  struct Entry {
    BatchItem item;
    std::shared_ptr<Group> group;
    size_t row;
    Clock::time_point arrived;
  };
  struct Lane {
    std::deque<Entry> entries;
    size_t announced = 0;
    Clock::duration item_time{0};  // of late, exponentially forgotten
  };

  void loop();
  Clock::time_point ripe_at(size_t lane) const;
  std::vector<Entry> take(size_t lane);
  void compute(BatchKind kind, std::vector<Entry> batch);

  const size_t dim_;
  const BatchSettings settings_;
  const Forward forward_;
  const OnBatch on_batch_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;  // for the loop
  std::condition_variable room_;     // for callers that wait outside
  std::array<Lane, 2> lanes_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace openclip
