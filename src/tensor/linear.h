// Linear layers, and every other product with packed weights. Rank 2.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
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
  /// Keeps `data` where it is, for a Linear that does not copy it at once; null = a copy is made.
  std::shared_ptr<const void> holder = nullptr;
};

/// When weights that may stay where they are become a packed copy.
enum class Packing { at_second_use, at_load };

/// Weights of y = x W^T + b, packed once for the kernels of this processor. Immutable, movable, may
/// be used by many threads at once.
///
/// [out, in] weights with a holder are packed when they are used for the second time. Until then
/// they stay where they are and the product packs each panel for itself, in the cache: many
/// programs compute one picture and end, and clearing the pages of a packed copy takes longer than
/// all else that they do. Results are the same, to the last bit.
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

  Linear();
  Linear(Linear&&) noexcept;
  Linear& operator=(Linear&&) noexcept;
  ~Linear();
  /// weight: in * out elements as `layout` says; bias: out floats or empty. Both are copied, by all
  /// threads of the context, but for weights with a holder.
  /// Throws: InvalidArgument for wrong lengths, types and layouts.
  Linear(const Context& context, const StoredMatrix& weight, std::span<const float> bias,
         const Shape& shape, Precision precision = Precision::f32);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }

  /// The weights for one product, and what keeps them alive while it runs.
  struct Use {
    kernels::PackedMatrix weights;
    std::shared_ptr<const void> holder;
  };
  Use use(const Context& context) const;

  /// Whether products with both take x in one form.
  bool multiplies_as(const Linear& other) const;

 private:
  /// Weights that are not packed yet, or were packed by their second use.
  struct Stored;

  void pack(const Context& context, kernels::PanelType type, const kernels::UnpackedMatrix& b);
  void pack_floats(const Context& context, const StoredMatrix& weight, Layout layout,
                   Precision precision);
  void pack_bytes(const Context& context, const StoredMatrix& weight);

  int64_t in_ = 0, out_ = 0;
  kernels::PanelType type_ = kernels::PanelType::f32;
  Buffer panels_, bias_, scales_, sums_;
  std::unique_ptr<Stored> stored_;  // in place of panels_
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

/// One of several layers of the same rows.
struct LinearTarget {
  const Linear& weights;
  Matrix out;
  UnaryOp op = UnaryOp::identity;
};

/// As linear() for each target, but the rows are copied, rounded or quantised once for all, and
/// threads wait once. Bits are those of the layers alone.
void linear(const Context& context, ConstMatrix x, std::initializer_list<LinearTarget> targets);

}  // namespace openclip
