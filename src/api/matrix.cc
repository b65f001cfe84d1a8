// Matrix of the C++ API. Rank 6.
#include "openclip/matrix.h"

#include <algorithm>
#include <cmath>

#include "api/translate.h"
#include "base/error.h"
#include "tasks/features.h"

namespace openclip::v0 {
namespace {

void check_matrix(const char* op, const Matrix& matrix) {
  translated([&] {
    check_arg(matrix.values.size() == matrix.rows * matrix.cols,
              "[{}] a matrix of {} x {} must have {} numbers, got {}", op, matrix.rows, matrix.cols,
              matrix.rows * matrix.cols, matrix.values.size());
  });
}

}  // namespace

void normalize(Matrix& rows) {
  check_matrix("normalize", rows);
  if (rows.cols > 0) normalize_rows(rows.values, static_cast<int64_t>(rows.cols));
}

Matrix similarity(const Matrix& a, const Matrix& b, float scale) {
  check_matrix("similarity", a);
  check_matrix("similarity", b);
  translated([&] {
    check_arg(a.cols == b.cols, "[similarity] rows of {} and of {} numbers do not fit", a.cols,
              b.cols);
  });
  Matrix out{a.rows, b.rows, std::vector<float>(a.rows * b.rows)};
  for (size_t i = 0; i < a.rows; ++i)
    for (size_t j = 0; j < b.rows; ++j) {
      double sum = 0;
      for (size_t k = 0; k < a.cols; ++k) sum += static_cast<double>(a(i, k)) * b(j, k);
      out.values[i * b.rows + j] = static_cast<float>(scale * sum);
    }
  return out;
}

void softmax(Matrix& rows) {
  check_matrix("softmax", rows);
  if (rows.cols == 0) return;
  for (size_t i = 0; i < rows.rows; ++i) {
    const std::span<float> row = rows.row(i);
    const float most = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const float x : row) sum += std::exp(static_cast<double>(x) - most);
    for (float& x : row) x = static_cast<float>(std::exp(static_cast<double>(x) - most) / sum);
  }
}

}  // namespace openclip::v0
