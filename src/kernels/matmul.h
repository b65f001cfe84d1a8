// Matrix product with weights packed once: out = op(A B + bias + residual). Rank 1.
//
// B is cut into panels of `panel_width()` columns, each stored row after row, so that the inner
// loop reads it in order; A is copied block by block into a compact buffer while it is used, and
// where a row of A comes from is up to a RowSource, so that convolutions need no im2col matrix.
#pragma once

#include <cstddef>

#include "kernels/unary.h"

namespace openclip::kernels {

/// Columns per panel on the instruction set in use: two vectors.
size_t panel_width();

/// Floats that pack_panels() writes for a [k, n] matrix.
size_t packed_floats(size_t k, size_t n);

/// Packs columns [panel_begin, panel_end) * panel_width() of B; columns from n on become zeros.
/// transposed: `b` is B^T, [n, k] in C order with row stride k (torch.nn.Linear.weight); else B,
/// [k, n] in C order. `packed`: base of the whole packed matrix, 64-byte aligned.
void pack_panels(const float* b, bool transposed, size_t k, size_t n, size_t panel_begin,
                 size_t panel_end, float* packed);

/// A packed B with its bias, padded with zeros to whole panels. Both 64-byte aligned.
struct PackedMatrix {
  const float* panels = nullptr;
  const float* bias = nullptr;  // null = none
  size_t k = 0, n = 0;
};

/// Where the rows of A come from.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Copies A[row_begin + i, k_begin + j] to to[i * stride + j] for i < rows, j < k_count.
  virtual void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                    size_t stride) const = 0;
};

/// A in memory, in C order with a row stride of at least k.
class MatrixRows final : public RowSource {
 public:
  MatrixRows(const float* a, size_t stride) : a_(a), stride_(stride) {}
  void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
            size_t stride) const override;

 private:
  const float* a_;
  size_t stride_;
};

/// What is done to the sums, and where they go.
struct MatmulOutput {
  float* out = nullptr;             // [m, n], any alignment
  size_t stride = 0;                // floats from row to row
  const float* residual = nullptr;  // [m, n], added before `op`; may be `out` itself
  size_t residual_stride = 0;
  UnaryOp op = UnaryOp::identity;
};

/// out = op(A B + bias + residual), A [m, k]. Sums are in f32, in an order that depends on the
/// instruction set but not on `threads`. m = 0 or n = 0: nothing; k = 0: op(bias + residual).
void matmul(int threads, size_t m, const RowSource& a, const PackedMatrix& b,
            const MatmulOutput& to);

}  // namespace openclip::kernels
