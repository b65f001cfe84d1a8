#include "io/lazy_tensor.h"

#include <cstring>

#include "base/error.h"

namespace openclip {
namespace {

// A copy of `bytes` length as a tensor of `dtype` and `shape`, filled by `fill`.
template <class Fill>
HeldTensor make_copy(DType dtype, const std::vector<int64_t>& shape, size_t bytes, Fill&& fill) {
  const auto copy = std::make_shared<std::vector<uint8_t>>(bytes);
  fill(copy->data());
  return {{dtype, shape, {copy->data(), copy->size()}}, copy};
}

size_t bytes_of(DType dtype, const std::vector<int64_t>& shape) {
  return static_cast<size_t>(element_count(shape)) * dtype_size(dtype);
}

bool in_c_order(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

// Copies the elements of a strided tensor in C order, innermost dimension first as runs.
void gather(const uint8_t* from, size_t size, const std::vector<int64_t>& shape,
            const std::vector<int64_t>& strides, uint8_t* to) {
  const size_t dims = shape.size();
  std::vector<int64_t> index(dims, 0);
  const int64_t run = shape[dims - 1];
  const auto step = static_cast<size_t>(strides[dims - 1]) * size;
  while (true) {
    size_t at = 0;
    for (size_t i = 0; i + 1 < dims; ++i)
      at += static_cast<size_t>(index[i]) * static_cast<size_t>(strides[i]) * size;
    for (int64_t i = 0; i < run; ++i, to += size)
      std::memcpy(to, from + at + static_cast<size_t>(i) * step, size);
    size_t dim = dims - 1;
    while (dim-- > 0) {
      if (++index[dim] < shape[dim]) break;
      index[dim] = 0;
    }
    if (dim == SIZE_MAX) return;
  }
}

}  // namespace

LazyTensor::LazyTensor(TensorView view, std::shared_ptr<const void> holder)
    : LazyTensor(view.dtype, view.shape,
                 [held = HeldTensor{view, std::move(holder)}] { return held; }) {}

LazyTensor reshaped(const LazyTensor& from, std::vector<int64_t> shape) {
  check_arg(element_count(shape) == element_count(from.shape()),
            "[reshaped] {} elements cannot become {}", element_count(from.shape()),
            element_count(shape));
  return LazyTensor(from.dtype(), shape, [from, shape] {
    HeldTensor held = from.load();
    held.view.shape = shape;
    return held;
  });
}

LazyTensor transposed(const LazyTensor& from) {
  check_arg(from.shape().size() == 2, "[transposed] needs two dimensions, got {}",
            from.shape().size());
  const int64_t rows = from.shape()[0], cols = from.shape()[1];
  return LazyTensor(from.dtype(), {cols, rows}, [from, rows, cols] {
    const HeldTensor held = from.load();
    return strided(from.dtype(), {cols, rows}, {1, cols}, 0, held.view.bytes, held.holder).load();
  });
}

LazyTensor concatenated(std::vector<LazyTensor> parts) {
  check_arg(!parts.empty() && !parts[0].shape().empty(), "[concatenated] has nothing to join");
  std::vector<int64_t> shape = parts[0].shape();
  shape[0] = 0;
  for (const LazyTensor& part : parts) {
    std::vector<int64_t> other = part.shape();
    check_arg(part.dtype() == parts[0].dtype() && other.size() == shape.size(),
              "[concatenated] types or dimensions differ");
    shape[0] += other[0];
    other[0] = shape[0];
    check_arg(other == shape, "[concatenated] rows differ");
  }
  const DType dtype = parts[0].dtype();
  return LazyTensor(dtype, shape, [dtype, shape, parts = std::move(parts)] {
    return make_copy(dtype, shape, bytes_of(dtype, shape), [&](uint8_t* to) {
      for (const LazyTensor& part : parts) {
        const HeldTensor held = part.load();
        if (!held.view.bytes.empty())
          std::memcpy(to, held.view.bytes.data(), held.view.bytes.size());
        to += held.view.bytes.size();
      }
    });
  });
}

LazyTensor rows_of(const LazyTensor& from, int64_t begin, int64_t count) {
  check_arg(!from.shape().empty() && begin >= 0 && count >= 0 && begin <= from.shape()[0] - count,
            "[rows_of] there are no rows {} to {}", begin, begin + count);
  std::vector<int64_t> shape = from.shape();
  shape[0] = count;
  return LazyTensor(from.dtype(), shape, [from, shape, begin] {
    HeldTensor held = from.load();
    const size_t bytes = bytes_of(from.dtype(), shape);
    const size_t row = shape[0] == 0 ? 0 : bytes / static_cast<size_t>(shape[0]);
    held.view.bytes = held.view.bytes.subspan(static_cast<size_t>(begin) * row, bytes);
    held.view.shape = shape;
    return held;
  });
}

LazyTensor zeros(DType dtype, std::vector<int64_t> shape) {
  return LazyTensor(dtype, shape, [dtype, shape] {
    return make_copy(dtype, shape, bytes_of(dtype, shape), [](uint8_t*) {});
  });
}

LazyTensor strided(DType dtype, std::vector<int64_t> shape, std::vector<int64_t> strides,
                   int64_t offset, std::span<const uint8_t> storage,
                   std::shared_ptr<const void> holder) {
  const size_t bytes = bytes_of(dtype, shape);
  if (bytes == 0) return LazyTensor({dtype, shape, {}}, nullptr);
  const auto from = storage.subspan(static_cast<size_t>(offset) * dtype_size(dtype));
  if (in_c_order(shape, strides))
    return LazyTensor({dtype, shape, from.first(bytes)}, std::move(holder));
  return LazyTensor(dtype, shape, [dtype, shape, strides, from, bytes, holder] {
    return make_copy(dtype, shape, bytes, [&](uint8_t* to) {
      gather(from.data(), dtype_size(dtype), shape, strides, to);
    });
  });
}

}  // namespace openclip
