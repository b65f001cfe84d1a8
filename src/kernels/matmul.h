// Matrix product with weights packed once: out = op(A B + bias + residual). Rank 1.
//
// B is cut into panels of `panel_width()` columns, each stored row after row, so that the inner
// loop reads it in order; A is copied block by block into a compact buffer while it is used (and
// rounded or quantised on the way), and where a row of A comes from is up to a RowSource, so that
// convolutions need no im2col matrix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/unary.h"

namespace openclip::kernels {

/// How B is packed, which says what is computed.
enum class PanelType : uint8_t {
  f32,         // f32 products and sums
  f16,         // weights of 16 bits that become f32 when they are used: results as of f32
  bf16,        //
  bf16_pairs,  // A rounded to bf16; products of bf16, sums in f32; where dot_products() has bf16
  int8         // A quantised to bytes; see quantise_columns()
};

/// Columns per panel on the instruction set in use: two vectors.
size_t panel_width();

/// Bytes that pack_panels() writes for a [k, n] matrix.
size_t packed_bytes(PanelType type, size_t k, size_t n);

/// A matrix B [k, n] to be packed. transposed: `data` is B^T, [n, k] in C order with row stride k
/// (torch.nn.Linear.weight); else B, [k, n] in C order. Elements: float for f32, the 16-bit floats'
/// bits (uint16_t) for f16, bf16 and bf16_pairs, int8_t for int8.
struct UnpackedMatrix {
  const void* data = nullptr;
  bool transposed = true;
  size_t k = 0, n = 0;
};

/// Packs columns [panel_begin, panel_end) * panel_width() of B; columns from n on become zeros.
/// `packed`: base of the whole packed matrix, 64-byte aligned.
void pack_panels(PanelType type, const UnpackedMatrix& b, size_t panel_begin, size_t panel_end,
                 void* packed);

/// Rows of W [rows, k] (columns of B) as bytes: q = round(w / scale), scale = max |w| / 127 of
/// the row (1 where all are zero), so q is in [-127, 127].
void quantise_columns(const float* w, size_t rows, size_t k, int8_t* q, float* scales);

/// The largest byte that int8 products quantise A to: 255, or 127 where pairs of products are added
/// in 16 bits (SSE4, AVX2, AVX-512 without VNNI).
int int8_steps();

/// Blocks of k that int8 products quantise A in, each with a scale and a zero point of its own for
/// every row.
size_t int8_blocks(size_t k);

/// Floats of PackedMatrix::sums.
size_t int8_sum_floats(size_t k, size_t n);

/// Sums over each block of k of the packed columns of panels [panel_begin, panel_end).
void sum_panels(const void* packed, size_t k, size_t n, size_t panel_begin, size_t panel_end,
                float* sums);

/// A packed B. Bias and scales are padded with zeros to whole panels; all 64-byte aligned.
struct PackedMatrix {
  const void* panels = nullptr;
  const float* bias = nullptr;  // null = none
  size_t k = 0, n = 0;
  PanelType type = PanelType::f32;
  const float* scales = nullptr;  // of int8: of each column,
  const float* sums = nullptr;    // and as sum_panels() makes them
  // `panels` is B^T as it is stored, [n, k] in C order, aligned to its elements: of f32, f16 and
  // bf16. Each panel is packed while it is used, with the same results; for products that come
  // once.
  bool stored = false;
};

/// A matrix of floats in memory, C order, `stride` floats from row to row.
struct MatrixView {
  const float* data = nullptr;
  size_t stride = 0;
};

/// Where the rows of A come from.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Copies A[row_begin + i, k_begin + j] to to[i * stride + j] for i < rows, j < k_count.
  virtual void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                    size_t stride) const noexcept = 0;
  /// A itself, where it lies in memory; else no data, and rows are copied.
  virtual MatrixView in_place() const { return {}; }
};

/// A in memory, in C order with a row stride of at least k.
class MatrixRows final : public RowSource {
 public:
  MatrixRows(const float* a, size_t stride) : a_(a), stride_(stride) {}
  void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
            size_t stride) const noexcept override;
  MatrixView in_place() const override { return {a_, stride_}; }

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

/// A matrix to multiply A with, and where the product goes.
struct MatmulTarget {
  PackedMatrix b;
  MatmulOutput to;
};

/// How sums are made.
enum class MatmulWay : uint8_t {
  in_order,  // a row of the output depends on its row of A alone, to the last bit
  /// Many rows, weights packed as f32, f16 or bf16: one step of Strassen's algorithm, an eighth
  /// less work. Rounds up to a few times as much, and a row's last bits depend on one more row, six
  /// before or after it. Other products are made in order.
  strassen
};

/// out = op(A B + bias + residual), A [m, k]. Sums are in f32 (in i32 of int8), in an order that
/// depends on the instruction set but not on `threads`. m = 0 or n = 0: nothing; k = 0:
/// op(bias + residual). Throws: Unsupported for bf16_pairs where dot_products() lacks bf16.
///
/// int8: each row of a block of A becomes q = round(a / s) + z in [0, steps] with s = (max - min) /
/// steps, the range made to hold 0, steps = int8_steps(); then a b = s * scale * (sum q w - z sum
/// w), where the sums are exact.
void matmul(int threads, size_t m, const RowSource& a, const PackedMatrix& b,
            const MatmulOutput& to, MatmulWay way = MatmulWay::in_order);

/// The same for several B of one k and one type (those whose results are as of f32 count as one),
/// which share the copy of A; outputs must not overlap. Bits are those of the products alone.
void matmul(int threads, size_t m, const RowSource& a, std::span<const MatmulTarget> targets,
            MatmulWay way = MatmulWay::in_order);

}  // namespace openclip::kernels
