// Owned memory for floats. Rank 2.
#pragma once

#include <cstddef>
#include <memory>

namespace openclip {

/// Uninitialised floats, 64-byte aligned. From 2 MB on the memory is aligned to 2 MB and the kernel
/// is asked for huge pages: weights are read in long streams, where misses in the page table cost
/// more than misses in the cache. Movable, not copyable.
class Buffer {
 public:
  Buffer() = default;
  /// Throws: std::bad_alloc.
  explicit Buffer(size_t count);

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* data) const;
  };
  std::unique_ptr<float, Free> data_;
  size_t size_ = 0;
};

}  // namespace openclip
