// Trading time for memory: activations that are computed again instead of kept.
#pragma once

#include <ATen/ATen.h>

#include <functional>

namespace openclip::train {

/// function(x), of which only x is kept; when the gradient is needed the function is computed again
/// (under the autocast of the first time) and differentiated. The function must be repeatable.
at::Tensor checkpoint(std::function<at::Tensor(const at::Tensor&)> function, const at::Tensor& x);

}  // namespace openclip::train
