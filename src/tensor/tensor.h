// Tensors (owned) and matrix views (borrowed), both f32. Rank 2.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "base/error.h"
#include "kernels/rows.h"
#include "tensor/buffer.h"
#include "tensor/shape.h"

namespace openclip {

/// Rows of a matrix in someone else's memory; what ops read and write. Higher ranks are seen as
/// [all leading dimensions, last dimension]. Trivially copyable.
template <class T>
struct BasicMatrix {
  T* data = nullptr;
  int64_t rows = 0, cols = 0;
  int64_t stride = 0;  // elements from row to row, >= cols

  BasicMatrix() = default;
  BasicMatrix(T* data_in, int64_t rows_in, int64_t cols_in)
      : BasicMatrix(data_in, rows_in, cols_in, cols_in) {}
  BasicMatrix(T* data_in, int64_t rows_in, int64_t cols_in, int64_t stride_in)
      : data(data_in), rows(rows_in), cols(cols_in), stride(stride_in) {}

  T* row(int64_t i) const { return data + i * stride; }

  /// Rows [begin, begin + count).
  BasicMatrix row_range(int64_t begin, int64_t count) const {
    return {row(begin), count, cols, stride};
  }
  /// Columns [begin, begin + count) of every row.
  BasicMatrix columns(int64_t begin, int64_t count) const {
    return {data + begin, rows, count, stride};
  }
  /// `count` rows, `step` apart, from the first.
  BasicMatrix every(int64_t step, int64_t count) const {
    return {data, count, cols, stride * step};
  }

  std::string shape_str() const { return Shape{rows, cols}.str(); }

  operator BasicMatrix<const T>() const requires(!std::is_const_v<T>) {
    return {data, rows, cols, stride};
  }
  operator kernels::Rows<T>() const {
    return {data, static_cast<size_t>(rows), static_cast<size_t>(cols),
            static_cast<size_t>(stride)};
  }
};

using Matrix = BasicMatrix<float>;
using ConstMatrix = BasicMatrix<const float>;

/// to[i] = from[rows[i]]. to: [rows.size(), from.cols].
inline void copy_rows(ConstMatrix from, std::span<const int64_t> rows, Matrix to) {
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(to.row(static_cast<int64_t>(i)), from.row(rows[i]),
                static_cast<size_t>(from.cols) * sizeof(float));
}

/// An owned f32 tensor in C order. Movable, not copyable.
class Tensor {
 public:
  Tensor() = default;
  /// Uninitialised. Throws: InvalidArgument for impossible shapes, std::bad_alloc.
  explicit Tensor(Shape shape)
      : shape_(std::move(shape)), buffer_(static_cast<size_t>(shape_.elements())) {}

  const Shape& shape() const { return shape_; }
  int64_t elements() const { return static_cast<int64_t>(buffer_.size()); }
  float* data() { return buffer_.data(); }
  const float* data() const { return buffer_.data(); }
  std::span<const float> span() const { return {data(), buffer_.size()}; }

  /// As [leading dimensions, last dimension]; a vector is one row.
  ConstMatrix matrix() const {
    const int64_t cols = shape_.rank() == 0 ? 1 : shape_[shape_.rank() - 1];
    return {data(), cols == 0 ? 0 : elements() / cols, cols};
  }

 private:
  Shape shape_;
  Buffer buffer_;
};

}  // namespace openclip
