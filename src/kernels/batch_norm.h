// Passes of a batch normalisation that is trained, with the ReLU behind it: columns are channels.
// Rank 1. All run on the calling thread and take any alignment, any width and any count of rows.
// Source of the formulas: torch.nn.BatchNorm2d and its derivative.
#pragma once

#include "kernels/rows.h"

namespace openclip::kernels {

/// y = x * scale + offset of each column, and max(y, 0) where `relu` is set. The arrays have a
/// value for each column.
struct NormColumns {
  const float* scale = nullptr;
  const float* offset = nullptr;
  const float* mean = nullptr;
  bool relu = false;
};

/// sums[j] += sum_i (x[i, j] - centre[j]) and squares[j] += sum_i (x[i, j] - centre[j])^2, in f32:
/// a caller adds up the results of some hundred rows at a time in f64. A centre near the mean
/// keeps the variance from cancelling.
void column_moments(Rows<const float> x, const float* centre, float* sums, float* squares);

/// `out` may not overlap x.
void norm_columns(Rows<const float> x, const NormColumns& columns, Rows<float> out);

/// With g = the gradient dy, 0 where the ReLU was: sums[j] += sum_i g[i, j] and products[j] +=
/// sum_i g[i, j] (x[i, j] - mean[j]), in f32 as above. x and dy have the same count and width.
void norm_columns_sums(Rows<const float> x, Rows<const float> dy, const NormColumns& columns,
                       float* sums, float* products);

/// dx = scale * g + slope * (x - mean) + level of each column: what is left of the gradient when
/// the mean and the variance depend on x too, with level = -scale * sums / n and slope = -scale *
/// products / (n (variance + eps)). dx may be dy.data.
void norm_columns_backward(Rows<const float> x, Rows<const float> dy, const NormColumns& columns,
                           const float* slope, const float* level, Rows<float> dx);

}  // namespace openclip::kernels
