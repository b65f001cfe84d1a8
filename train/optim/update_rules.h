// The optimisers' arithmetic on one group of tensors.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace openclip::train {

/// Tensors with one learning rate and weight decay, and their state, in parallel lists. `steps`
/// count this update already.
struct UpdateGroup {
  std::vector<at::Tensor> parameters, gradients, means, squares, steps;
  double lr = 0, weight_decay = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
};

void adamw_update(UpdateGroup& group);
void nadamw_update(UpdateGroup& group);
void lion_update(UpdateGroup& group);

}  // namespace openclip::train
