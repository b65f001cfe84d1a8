// Dimensions of a tensor. Rank 2.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace openclip {

/// Row-major dimensions; none = a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {}

  size_t rank() const { return dims_.size(); }
  int64_t operator[](size_t axis) const { return dims_[axis]; }
  const std::vector<int64_t>& dims() const { return dims_; }
  bool operator==(const Shape& other) const = default;

  /// Number of elements. Throws: InvalidArgument for a negative dimension or more than 2^63 - 1.
  int64_t elements() const;

  /// "[2, 768]", for messages.
  std::string str() const;

 private:
  std::vector<int64_t> dims_;
};

}  // namespace openclip
