// The losses as formulas over whole matrices, differentiated by autograd: what the blockwise ones
// are compared with.
#pragma once

#include <ATen/ATen.h>

namespace openclip::train {

struct PlainLossInput {
  at::Tensor image, text, scale, labels, extra_text, extra_labels;
};

// [rows, columns] whose rows sum to 1: row i is right about column i and the columns of its label.
inline at::Tensor soft_targets(const at::Tensor& rows, const at::Tensor& columns) {
  const at::Tensor label = rows.unsqueeze(1);
  const at::Tensor same = label.eq(columns.unsqueeze(0)).logical_and(label.ge(0));
  const at::Tensor self = at::eye(rows.size(0), columns.size(0), rows.options().dtype(at::kBool));
  const at::Tensor positive = same.logical_or(self).to(at::kFloat);
  return positive / positive.sum(1, /*keepdim=*/true);
}

/// See ContrastInput.
inline at::Tensor plain_clip_loss(const PlainLossInput& in) {
  const bool extra = in.extra_text.defined();
  const auto logits = [&](const at::Tensor& from, const at::Tensor& to) {
    return in.scale * at::matmul(from, to.t());
  };
  const at::Tensor per_image =
      logits(in.image, extra ? at::cat({in.text, in.extra_text}) : in.text);
  const at::Tensor per_text = logits(in.text, in.image);
  at::Tensor image_target = at::arange(in.image.size(0), at::kLong), text_target = image_target;
  if (in.labels.defined()) {
    image_target =
        soft_targets(in.labels, extra ? at::cat({in.labels, in.extra_labels}) : in.labels);
    text_target = soft_targets(in.labels, in.labels);
  }
  return (at::cross_entropy_loss(per_image, image_target) +
          at::cross_entropy_loss(per_text, text_target)) /
         2;
}

}  // namespace openclip::train
