// Kernels of exact search: dot products of stored vectors with a query, and which of many scores
// are worth a closer look. Rank 1. All run on the calling thread. Stored elements are aligned to
// their size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "kernels/matmul.h"

namespace openclip::kernels {

/// out[i] = sum_j query[j] rows[i, j], i < count, summed in f32. rows: [count, dim] in C order,
/// little-endian f32, f16 or i8 (`dtype`; i8 unscaled). A row's sum does not depend on `count`.
void dot_rows(const float* query, size_t dim, DType dtype, const uint8_t* rows, size_t count,
              float* out);

/// The same for rows that lie apart: out[i] = sum_j query[j] rows[i][j], in the same order.
void dot_scattered(const float* query, size_t dim, DType dtype, const uint8_t* const* rows,
                   size_t count, float* out);

/// to[i] = from[i] as f32; i8 unscaled. dtype: f32, f16 or i8.
void widen(DType dtype, const uint8_t* from, size_t count, float* to);

/// Stored vectors as rows of A of a matrix product: row i is bytes [i * dim * size, …) of `rows`.
class StoredRows final : public RowSource {
 public:
  StoredRows(DType dtype, const uint8_t* rows, size_t dim)
      : dtype_(dtype), rows_(rows), dim_(dim) {}
  void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
            size_t stride) const noexcept override;

 private:
  DType dtype_;
  const uint8_t* rows_;
  size_t dim_;
};

/// Positions i of [0, count) with scores[i] > limit, ascending, into `found` [count]; their number.
size_t find_above(const float* scores, size_t count, float limit, uint32_t* found);

/// As find_above for a row of `count` scores with a limit each.
size_t find_above_each(const float* scores, size_t count, const float* limits, uint32_t* found);

}  // namespace openclip::kernels
