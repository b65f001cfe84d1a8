// What the ways of sharing out a matrix product have in common. Part of rank 1.
#pragma once

#include <hwy/aligned_allocator.h>

#include <cstddef>
#include <deque>
#include <new>

#include "base/parallel.h"
#include "base/steal_queue.h"

namespace openclip::kernels {

/// Steps that a thread takes at once.
struct StepSize {
  size_t least, most;
};

/// work(i, steps) for the steps of part `own`, then for those of other parts that nobody has begun.
template <class Work>
void work_through(std::deque<StealQueue>& queues, size_t own, const StepSize& size,
                  const Work& work) {
  StealQueue::Range steps{};
  while (!(steps = queues[own].take_front(size.least, size.most)).empty()) work(own, steps);
  for (size_t i = 1; i < queues.size(); ++i) {
    const size_t other = (own + i) % queues.size();
    while (!(steps = queues[other].take_back(size.least, size.most)).empty()) work(other, steps);
  }
}

/// fn(i) for each part, side by side.
template <class Fn>
void for_parts(size_t count, const Fn& fn) {
  parallel_for(static_cast<int>(count), count, 1, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i) fn(i);
  });
}

/// Floats, 64-byte aligned, that a thread keeps for its next product.
class Scratch {
 public:
  float* floats(size_t count) {
    if (count > size_) {
      memory_.reset();  // first, so that both are never there
      memory_ = hwy::AllocateAligned<float>(count);
      if (memory_ == nullptr) throw std::bad_alloc();
      size_ = count;
    }
    return memory_.get();
  }

 private:
  hwy::AlignedFreeUniquePtr<float[]> memory_;
  size_t size_ = 0;
};

inline size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

}  // namespace openclip::kernels
