// SigLIP's loss: every picture and caption is a yes-or-no question of its own.
#pragma once

#include "dist/communicator.h"
#include "loss/loss_gradient.h"

namespace openclip::train {

struct SigmoidInput {
  at::Tensor image, text;  // f32 [pairs, width] of this process, L2-normalised
  double scale = 10;       // exp(logit_scale)
  double bias = -10;       // logit_bias
};

/// sum_ij softplus(-y_ij (scale * image_i . text_j + bias)) / pairs over all processes' pairs, with
/// y = 1 where i = j, else -1. Captions, with their gradients, go around the ring of processes, so
/// each holds its own and one other's at a time; blocks of 8 MB are computed at once.
/// Source: Zhai et al. 2023, https://arxiv.org/abs/2303.15343; open_clip loss.py SigLipLoss.
LossGradient sigmoid_loss(const SigmoidInput& input, Communicator& processes);

}  // namespace openclip::train
