// SimCLR's projection head, thrown away after training.
#pragma once

#include <ATen/ATen.h>

#include "model/tensor_store.h"

namespace openclip::train {

class ProjectionHead {
 public:
  static constexpr int64_t kOutputs = 128;

  /// Adds aux.views.hidden.* [width, width] and aux.views.out.* [128, width] to `store`.
  static void add_tensors(TensorStore& store, int64_t width, uint64_t seed);

  /// W2 . relu(W1 . pooled), [batch, 128]. Source: Chen et al. 2020 (SimCLR), section 2.1; without
  /// the BatchNorm of their code, so that a picture's projection does not depend on its batch.
  static at::Tensor project(const TensorStore& store, const at::Tensor& pooled);
};

}  // namespace openclip::train
