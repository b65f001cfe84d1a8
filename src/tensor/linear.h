// Linear layers, and every other product with packed weights. Rank 2.
#pragma once

#include <cstdint>
#include <span>

#include "base/context.h"
#include "kernels/matmul.h"
#include "tensor/tensor.h"

namespace openclip {

using kernels::UnaryOp;

/// Weights of y = x W^T + b, packed once for the kernels of this processor. Immutable, movable.
class Linear {
 public:
  enum class Layout {
    out_in,  // torch.nn.Linear.weight: [out, in]
    in_out   // open_clip's `proj`, `text_projection`: [in, out]
  };

  Linear() = default;
  /// weight: in * out floats as `layout` says; bias: out floats or empty. Both are copied, by all
  /// threads of the context.
  /// Throws: InvalidArgument for wrong lengths.
  Linear(const Context& context, std::span<const float> weight, std::span<const float> bias,
         int64_t in, int64_t out, Layout layout = Layout::out_in);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  kernels::PackedMatrix packed() const;

 private:
  int64_t in_ = 0, out_ = 0;
  Buffer panels_, bias_;
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
