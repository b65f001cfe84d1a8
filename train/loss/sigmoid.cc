#include "loss/sigmoid.h"

namespace openclip::train {
namespace {

// Adds one process's captions to the pictures' loss; nothing is divided by the number of pairs yet.
void add_captions(const SigmoidInput& input, const at::Tensor& text, bool own, LossGradient& sum,
                  at::Tensor& text_gradient) {
  const int64_t pairs = input.image.size(0), step = block_rows(text.size(0));
  for (int64_t first = 0; first < pairs; first += step) {
    const at::Tensor image = input.image.slice(0, first, first + step);
    at::Tensor z = at::matmul(image, text.t()).mul_(input.scale).add_(input.bias);
    // softplus(-z) = softplus(z) - z for the right pairs.
    sum.loss += at::softplus(z).sum(at::kDouble).item<double>();
    at::Tensor gradient = at::sigmoid(z);
    if (own) {
      sum.loss -= z.diagonal(first).sum(at::kDouble).item<double>();
      gradient.diagonal(first).sub_(1);
    }
    sum.bias += gradient.sum(at::kDouble).item<double>();
    gradient.mul_(input.scale);
    sum.image.slice(0, first, first + step).add_(at::matmul(gradient, text));
    text_gradient.add_(at::matmul(gradient.t(), image));
  }
}

}  // namespace

LossGradient sigmoid_loss(const SigmoidInput& input, Communicator& processes) {
  LossGradient result;
  result.image = at::zeros_like(input.image);
  std::vector<at::Tensor> visitor = {input.text, at::zeros_like(input.text)};
  for (int hop = 0; hop < processes.size(); ++hop) {
    add_captions(input, visitor[0], hop == 0, result, visitor[1]);
    visitor = processes.shift(visitor);  // the last hop brings them home
  }
  at::Tensor pairs = at::full({1}, static_cast<double>(input.image.size(0)), input.image.options());
  processes.all_reduce(pairs);
  const double factor = 1 / pairs.item<double>();
  result.loss *= factor;
  result.bias *= factor;
  result.image.mul_(factor);
  result.text = visitor[1].mul_(factor);
  result.scale = (result.image * input.image).sum(at::kDouble).item<double>() / input.scale;
  return result;
}

}  // namespace openclip::train
