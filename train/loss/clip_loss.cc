#include "loss/clip_loss.h"

namespace openclip::train {
namespace {

// [rows, columns] whose rows sum to 1: row i is right about column i and the columns of its label.
at::Tensor soft_targets(const at::Tensor& rows, const at::Tensor& columns) {
  const at::Tensor label = rows.unsqueeze(1);
  const at::Tensor same = label.eq(columns.unsqueeze(0)).logical_and(label.ge(0));
  const at::Tensor self = at::eye(rows.size(0), columns.size(0), rows.options().dtype(at::kBool));
  const at::Tensor positive = same.logical_or(self).to(at::kFloat);
  return positive / positive.sum(1, /*keepdim=*/true);
}

}  // namespace

at::Tensor clip_loss(const ClipLossInput& input) {
  const bool extra = input.extra_text.defined();
  const auto logits = [&](const at::Tensor& from, const at::Tensor& to) {
    const at::Tensor product = input.scale * at::matmul(from, to.t());
    return input.bias.defined() ? product + input.bias : product;
  };
  const at::Tensor per_image =
      logits(input.image, extra ? at::cat({input.text, input.extra_text}) : input.text);
  const at::Tensor per_text = extra ? logits(input.text, input.image) : per_image.t();
  if (!input.labels.defined()) {
    const at::Tensor own = at::arange(input.image.size(0), per_image.options().dtype(at::kLong));
    return (at::cross_entropy_loss(per_image, own) + at::cross_entropy_loss(per_text, own)) / 2;
  }
  const at::Tensor columns = extra ? at::cat({input.labels, input.extra_labels}) : input.labels;
  return (at::cross_entropy_loss(per_image, soft_targets(input.labels, columns)) +
          at::cross_entropy_loss(per_text, soft_targets(input.labels, input.labels))) /
         2;
}

}  // namespace openclip::train
