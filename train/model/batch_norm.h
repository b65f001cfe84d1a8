// Batch normalisation with the ReLU behind it, in one node of the graph.
#pragma once

#include <ATen/ATen.h>

namespace openclip::train {

/// What a batch normalisation has besides its input; all [channels].
struct BatchNorm {
  at::Tensor weight, bias;
  at::Tensor running_mean = {}, running_variance = {};  // not read in BatchNormMode::batch
};

/// What BatchNorm does.
enum class BatchNormMode {
  running,       // uses the running statistics
  batch,         // uses the batch's own
  batch_update,  // and lets the running ones follow
};

/// BatchNorm2d of x [batch, channels, height, width], eps 1e-5, momentum 0.1, and ReLU where `relu`
/// is set. On a CPU in f32 and channels-last, training, with kernels of our own: forward and
/// backward read the input twice each, and no gradient of the ReLU is kept. Elsewhere PyTorch's
/// operators. Source: torch.nn.BatchNorm2d.
at::Tensor batch_norm(const at::Tensor& x, const BatchNorm& norm, BatchNormMode mode, bool relu);

}  // namespace openclip::train
