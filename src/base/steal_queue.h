// A range of steps that one thread works through while others may take some off it. Rank 0.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace openclip {

/// Steps [begin, end), each handed out once. The owner takes from the front, in order; threads that
/// have nothing of their own left take from the back. Each takes a part of what is left, so that
/// all end at about the same time however unevenly they run. Any thread may call any function.
class alignas(64) StealQueue {
 public:
  struct Range {
    size_t begin, end;
    bool empty() const { return begin == end; }
  };

  /// begin <= end < 2^32.
  StealQueue(size_t begin, size_t end) : range_(packed(begin, end)) {}

  /// The next quarter of what is left, but at least `least` and at most `most` steps.
  Range take_front(size_t least, size_t most) {
    return take([&](size_t begin, size_t end) {
      return Range{begin, begin + share(end - begin, least, most)};
    });
  }

  /// The same from the other end.
  Range take_back(size_t least, size_t most) {
    return take([&](size_t begin, size_t end) {
      return Range{end - share(end - begin, least, most), end};
    });
  }

 private:
  static uint64_t packed(size_t begin, size_t end) {
    return static_cast<uint64_t>(begin) << 32 | static_cast<uint64_t>(end);
  }

  static size_t share(size_t left, size_t least, size_t most) {
    return std::min(left, std::clamp(left / 4, least, most));
  }

  template <class Choose>
  Range take(const Choose& choose) {
    uint64_t seen = range_.load(std::memory_order_relaxed);
    while (true) {
      const size_t begin = seen >> 32, end = seen & UINT32_MAX;
      const Range taken = choose(begin, end);
      if (taken.empty()) return taken;
      const uint64_t rest =
          taken.begin == begin ? packed(taken.end, end) : packed(begin, taken.begin);
      if (range_.compare_exchange_weak(seen, rest, std::memory_order_relaxed)) return taken;
    }
  }

  std::atomic<uint64_t> range_;
};

}  // namespace openclip
