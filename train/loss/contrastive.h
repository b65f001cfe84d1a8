// CLIP's softmax loss between the pictures and captions of all processes.
#pragma once

#include "dist/communicator.h"
#include "loss/loss_gradient.h"

namespace openclip::train {

/// Features are f32, L2-normalised, without autograd history.
struct ContrastInput {
  at::Tensor image, text;  // [pairs, width] of this process
  double scale = 1;        // exp(logit_scale)
  /// i64 [pairs], or undefined: pairs with the same label >= 0 count as positives of each other.
  at::Tensor labels = {};
  /// [extra, width], or undefined: more captions that pictures are compared with; their labels i64
  /// [extra] are needed if `labels` are there.
  at::Tensor extra_text = {}, extra_labels = {};
  /// A teacher's features of the same pairs, or undefined; not together with labels or extras.
  at::Tensor teacher_image = {}, teacher_text = {};
  double teacher_scale = 1, distill_weight = 1;
};

/// (CE(scale * image . text^T) + CE(scale * text . image^T)) / 2, the mean over all pairs.
/// Without labels row i's only right answer is column i. With labels the target of a row is uniform
/// over all columns of its label (UniCL's bidirectional contrast); -1 means "like no other".
/// Extra captions are further columns of the first term only. A bias would change nothing.
/// Distillation: the same with the teacher's softmax in place of the right answers, times
/// distill_weight. Source: open_clip loss.py ClipLoss (--local-loss --gather-with-grad),
/// DistillClipLoss.
///
/// Every process computes its own rows against all columns, twice: once for the log-sum-exps, which
/// are then exchanged, and once for the gradients. Memory: the features of all and 8 MB blocks.
LossGradient contrastive_loss(const ContrastInput& input, Communicator& processes);

struct NtXentInput {
  at::Tensor first, second;  // f32 [pictures, width]: two views of each picture, L2-normalised
  double temperature = 0.1;
};

/// SimCLR's NT-Xent: the mean over all 2N views of CE(views . views^T / temperature), where a view
/// is not compared with itself and the other view of its picture is the right answer.
/// The gradients are in `image` (first views) and `text` (second views).
/// Source: Chen et al. 2020, https://arxiv.org/abs/2002.05709, equation 1.
LossGradient nt_xent_loss(const NtXentInput& input, Communicator& processes);

}  // namespace openclip::train
