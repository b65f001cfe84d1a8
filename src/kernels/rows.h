// Kernels over the rows of a matrix: normalisations, softmax, means, sums. Rank 1.
// All run on the calling thread, take any alignment and any width, and do nothing for zero rows.
#pragma once

#include <cstddef>

namespace openclip::kernels {

/// Rows of `width` floats, `stride` floats apart (stride >= width).
template <class T>
struct Rows {
  T* data = nullptr;
  size_t count = 0, width = 0, stride = 0;

  T* row(size_t i) const { return data + i * stride; }
};

/// Layer normalisation of each row: y = (x - mean) / sqrt(var + eps) * weight + bias, with the
/// biased variance, in two passes (no cancellation). weight, bias [width]. `out` may be x.data.
/// Source: torch.nn.LayerNorm.
void layer_norm(Rows<const float> x, const float* weight, const float* bias, float eps,
                Rows<float> out);

/// y_i = exp(x_i - max) / sum_j exp(x_j - max) in place. Differences below -87 give about 1e-38
/// before the division instead of a smaller number.
void softmax_inplace(Rows<float> x);

/// x / max(|x|, 1e-12) in place, |x| the Euclidean length. Source: torch.nn.functional.normalize.
void l2_normalise_inplace(Rows<float> x);

/// out[j] = mean over the rows of x[i, j]; zeros for no rows.
void mean_of_rows(Rows<const float> x, float* out);

/// out[i, j] = x[i, j] + y[i, j]; `out` may be x.data or y.data. Counts and widths are those of x.
void add_rows(Rows<const float> x, Rows<const float> y, Rows<float> out);

}  // namespace openclip::kernels
