#include "optim/ema.h"

#include <c10/core/GradMode.h>

#include <algorithm>

namespace openclip::train {

Ema::Ema(const TensorStore& store, double decay) : average_(store.clone()), decay_(decay) {}

void Ema::update(const TensorStore& store, int64_t step) {
  const c10::NoGradGuard no_grad;
  const double decay = std::min(decay_, (1.0 + step) / (10.0 + step));
  for (size_t i = 0; i < store.entries().size(); ++i) {
    at::Tensor& average = average_.entries()[i].tensor;
    const at::Tensor weight = store.entries()[i].tensor.detach();
    if (!average.is_floating_point())
      average.copy_(weight);
    else
      average.lerp_(weight, 1 - decay);
  }
}

}  // namespace openclip::train
