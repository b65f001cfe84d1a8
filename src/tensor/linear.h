// Linear layers, and every other product with packed weights. Rank 2.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "base/dtype.h"
#include "base/precision.h"
#include "kernels/matmul.h"
#include "tensor/tensor.h"

namespace openclip {

using kernels::UnaryOp;

/// A matrix as a checkpoint holds it: f32, f16 or bf16, aligned to its elements, or i8 with a scale
/// for each output (w = q * scale).
struct StoredMatrix {
  StoredMatrix() = default;
  StoredMatrix(std::span<const float> values) : data(values.data()), count(values.size()) {}
  StoredMatrix(const std::vector<float>& values) : StoredMatrix(std::span<const float>(values)) {}

  const void* data = nullptr;
  size_t count = 0;  // elements
  DType dtype = DType::f32;
  std::span<const float> scales = {};  // of i8
};

/// Weights of y = x W^T + b, packed once for the kernels of this processor. Immutable, movable.
class Linear {
 public:
  enum class Layout {
    out_in,  // torch.nn.Linear.weight: [out, in]
    in_out   // open_clip's `proj`, `text_projection`: [in, out]; f32 and bf16 products only
  };
  struct Shape {
    int64_t in = 0, out = 0;
    Layout layout = Layout::out_in;
  };

  Linear() = default;
  /// weight: in * out elements as `layout` says; bias: out floats or empty. Both are copied, by all
  /// threads of the context.
  /// Throws: InvalidArgument for wrong lengths, types and layouts.
  Linear(const Context& context, const StoredMatrix& weight, std::span<const float> bias,
         const Shape& shape, Precision precision = Precision::f32);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  kernels::PackedMatrix packed() const;

 private:
  void pack(const Context& context, kernels::PanelType type, const kernels::UnpackedMatrix& b);
  void pack_floats(const Context& context, const StoredMatrix& weight, Layout layout,
                   Precision precision);
  void pack_bytes(const Context& context, const StoredMatrix& weight);

  int64_t in_ = 0, out_ = 0;
  kernels::PanelType type_ = kernels::PanelType::f32;
  Buffer panels_, bias_, scales_, sums_;
};

struct LinearOptions {
  UnaryOp op = UnaryOp::identity;
  ConstMatrix residual = {};  // added before `op`; may be the output itself
};

/// out = op(x W^T + b + residual). x [rows, in], out and residual [rows, out].
/// Throws: InvalidArgument if a shape does not fit; zero rows give nothing.
void linear(const Context& context, ConstMatrix x, const Linear& weights, Matrix out,
            const LinearOptions& options = {});

/// As linear(), with the rows of x read through `x` while they are used (patches, windows of a
/// convolution); out.rows of them, each weights.in() long.
void linear(const Context& context, const kernels::RowSource& x, const Linear& weights, Matrix out,
            const LinearOptions& options = {});

}  // namespace openclip
