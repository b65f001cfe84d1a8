// Tensors of a checkpoint that cost nothing until they are used. Rank 3.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace openclip {

/// The bytes of a tensor in C order, and what keeps them alive: a mapped file or a copy.
struct HeldTensor {
  TensorView view;
  std::shared_ptr<const void> holder;
};

/// Type and shape of a tensor, and how to get its bytes. Where a file holds them in C order they
/// are those of the mapping; else every load() makes a new copy, so that nothing is kept that its
/// user dropped. Immutable; load() may be called by many threads at once.
class LazyTensor {
 public:
  using Load = std::function<HeldTensor()>;

  LazyTensor(DType dtype, std::vector<int64_t> shape, Load load)
      : dtype_(dtype), shape_(std::move(shape)), load_(std::move(load)) {}

  /// A tensor that is there already.
  LazyTensor(TensorView view, std::shared_ptr<const void> holder);

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  HeldTensor load() const { return load_(); }

 private:
  DType dtype_;
  std::vector<int64_t> shape_;
  Load load_;
};

using LazyTensors = std::map<std::string, LazyTensor>;

/// The same elements under another shape. Throws: InvalidArgument if the counts differ.
LazyTensor reshaped(const LazyTensor& from, std::vector<int64_t> shape);

/// to[j, i] = from[i, j]. Throws: InvalidArgument unless `from` has two dimensions.
LazyTensor transposed(const LazyTensor& from);

/// Tensors one after the other along the first dimension.
/// Throws: InvalidArgument if there are none, or their types or other dimensions differ.
LazyTensor concatenated(std::vector<LazyTensor> parts);

/// Rows begin to begin + count of the first dimension.
/// Throws: InvalidArgument if `from` does not have them.
LazyTensor rows_of(const LazyTensor& from, int64_t begin, int64_t count);

/// A tensor to write under `name` as `store_as`. Any float type may be stored as f32, f16 or bf16.
struct LazyEntry {
  std::string name;
  LazyTensor tensor;
  DType store_as = tensor.dtype();
};

/// As write_safetensors of io/safetensors.h; each tensor is loaded when it is written and dropped
/// after, so a model larger than the memory can be written.
void write_safetensors(const std::string& path, std::vector<LazyEntry> tensors,
                       const StringMap& metadata = {});

/// All bytes zero.
LazyTensor zeros(DType dtype, std::vector<int64_t> shape);

/// Elements of `storage` at offset + sum of index[i] * strides[i], all counted in elements.
/// The caller has checked that every index lies in the storage; a copy is made at load() unless
/// they lie in C order.
LazyTensor strided(DType dtype, std::vector<int64_t> shape, std::vector<int64_t> strides,
                   int64_t offset, std::span<const uint8_t> storage,
                   std::shared_ptr<const void> holder);

}  // namespace openclip
