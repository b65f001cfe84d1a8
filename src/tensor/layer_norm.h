// Layer normalisation. Rank 2.
#pragma once

#include <span>

#include "base/context.h"
#include "tensor/tensor.h"

namespace openclip {

/// Layer normalisation of each row: y = (x - mean) / sqrt(var + eps) * weight + bias.
/// Shapes: x, out [rows, width]; weight, bias [width]. `out` may be x.
/// eps: added to the (biased) variance, same unit as x^2.
/// Throws: InvalidArgument if weight, bias or out do not fit x; zero rows or width give nothing.
/// Source: torch.nn.LayerNorm.
void layer_norm(const Context& context, ConstMatrix x, std::span<const float> weight,
                std::span<const float> bias, float eps, Matrix out);

}  // namespace openclip
