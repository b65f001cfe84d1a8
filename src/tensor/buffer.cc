#include "tensor/buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <limits>
#include <new>

namespace openclip {
namespace {
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kCacheLine = 64;
}  // namespace

Buffer::Buffer(size_t count) : size_(count) {
  if (count == 0) return;
  if (count > std::numeric_limits<size_t>::max() / (2 * sizeof(float))) throw std::bad_alloc();
  const size_t bytes = count * sizeof(float);
  const size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  void* data = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (data == nullptr) throw std::bad_alloc();
  if (alignment == kHugePage) madvise(data, bytes, MADV_HUGEPAGE);  // a wish; failure is harmless
  data_.reset(static_cast<float*>(data));
}

void Buffer::Free::operator()(float* data) const { std::free(data); }

}  // namespace openclip
