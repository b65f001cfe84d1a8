#include "loss/clip_loss.h"

namespace openclip::train {
namespace {

// [batch, batch], rows sum to 1; symmetric up to that.
at::Tensor soft_targets(const at::Tensor& labels) {
  const at::Tensor rows = labels.unsqueeze(1), columns = labels.unsqueeze(0);
  const at::Tensor same = rows.eq(columns).logical_and(rows.ge(0));
  const at::Tensor self = at::eye(labels.size(0), labels.options().dtype(at::kBool));
  const at::Tensor positive = same.logical_or(self).to(at::kFloat);
  return positive / positive.sum(1, /*keepdim=*/true);
}

}  // namespace

at::Tensor clip_loss(const ClipLossInput& input) {
  at::Tensor logits = input.scale * at::matmul(input.image, input.text.t());
  if (input.bias.defined()) logits = logits + input.bias;
  if (!input.labels.defined()) {
    const at::Tensor own = at::arange(logits.size(0), logits.options().dtype(at::kLong));
    return (at::cross_entropy_loss(logits, own) + at::cross_entropy_loss(logits.t(), own)) / 2;
  }
  const at::Tensor targets = soft_targets(input.labels);
  return (at::cross_entropy_loss(logits, targets) + at::cross_entropy_loss(logits.t(), targets)) /
         2;
}

}  // namespace openclip::train
