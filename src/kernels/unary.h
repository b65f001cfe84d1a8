// Element-wise activations. Rank 1.
#pragma once

#include <cstddef>

namespace openclip::kernels {

/// identity: x.  relu: max(x, 0).  gelu: x/2 (1 + erf(x / sqrt 2)), absolute error below 5e-7 for
/// |x| <= 8.  gelu_tanh: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
/// quick_gelu: x / (1 + exp(-1.702 x)) (open_clip QuickGELU).
enum class UnaryOp { identity, relu, gelu, gelu_tanh, quick_gelu };

/// x[i] = op(x[i]) for i < count; any alignment.
void unary_inplace(UnaryOp op, float* x, size_t count);

}  // namespace openclip::kernels
