// Rows of numbers - features, similarities, probabilities - and what is done with them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "openclip/namespace.h"

namespace openclip::v0 {

/// A matrix in C order: rows * cols numbers, row after row.
struct Matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<float> values{};

  std::span<float> row(std::size_t i) { return {values.data() + i * cols, cols}; }
  std::span<const float> row(std::size_t i) const { return {values.data() + i * cols, cols}; }
  float operator()(std::size_t i, std::size_t j) const { return values[i * cols + j]; }
};

/// Scales each row to length 1: x / max(|x|, 1e-12), as torch.nn.functional.normalize.
OPENCLIP_EXPORT void normalize(Matrix& rows);

/// scale * a @ b.T: the scaled product of every row of `a` with every row of `b`,
/// [a.rows, b.rows]; sums in double. Throws: InvalidArgument unless a.cols == b.cols.
OPENCLIP_EXPORT Matrix similarity(const Matrix& a, const Matrix& b, float scale = 1);

/// exp(x) / sum(exp(x)) of each row, in place.
OPENCLIP_EXPORT void softmax(Matrix& rows);

}  // namespace openclip::v0
