// The contrastive loss between a batch of pictures and their captions.
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace openclip::train {

struct ClipLossInput {
  at::Tensor image;  // [batch, embed_dim], L2-normalised
  at::Tensor text;   // [batch, embed_dim], L2-normalised
  at::Tensor scale;  // scalar, exp(logit_scale)
  at::Tensor bias;   // scalar, or undefined
  /// i64 [batch], or undefined: pairs with the same label >= 0 count as positives of each other.
  at::Tensor labels;
  /// [extra, embed_dim], L2-normalised, or undefined: more captions that pictures are compared
  /// with; their labels i64 [extra] are needed if `labels` are there.
  at::Tensor extra_text = {}, extra_labels = {};
};

/// (CE(scale * image . text^T) + CE(scale * text . image^T)) / 2, the mean over the batch.
/// Without labels row i's only right answer is column i. With labels the target of a row is uniform
/// over all columns of its label (UniCL's bidirectional contrast); -1 means "like no other".
/// Extra captions are further columns of the first term only.
/// Source: open_clip loss.py ClipLoss.
at::Tensor clip_loss(const ClipLossInput& input);

}  // namespace openclip::train
