#include "optim/update_rules.h"

#include <cmath>

namespace openclip::train {

void adamw_update(UpdateGroup& g) {
  at::_fused_adamw_(g.parameters, g.gradients, g.means, g.squares, /*max_exp_avg_sqs=*/{}, g.steps,
                    g.lr, g.beta1, g.beta2, g.weight_decay, g.eps, /*amsgrad=*/false,
                    /*maximize=*/false);
}

// AdamW whose step looks one gradient ahead: the mean is moved towards the gradient twice.
void nadamw_update(UpdateGroup& g) {
  for (size_t i = 0; i < g.parameters.size(); ++i) {
    const at::Tensor &gradient = g.gradients[i], &mean = g.means[i], &square = g.squares[i];
    const double step = g.steps[i].item<double>();
    g.parameters[i].mul_(1 - g.lr * g.weight_decay);
    mean.lerp_(gradient, 1 - g.beta1);
    square.mul_(g.beta2).addcmul_(gradient, gradient, 1 - g.beta2);
    const at::Tensor ahead = mean.lerp(gradient, 1 - g.beta1);
    const at::Tensor deviation =
        square.sqrt().div_(std::sqrt(1 - std::pow(g.beta2, step))).add_(g.eps);
    g.parameters[i].addcdiv_(ahead, deviation, -g.lr / (1 - std::pow(g.beta1, step)));
  }
}

void lion_update(UpdateGroup& g) {
  for (size_t i = 0; i < g.parameters.size(); ++i) {
    const at::Tensor &gradient = g.gradients[i], &mean = g.means[i];
    g.parameters[i].mul_(1 - g.lr * g.weight_decay);
    g.parameters[i].add_(mean.lerp(gradient, 1 - g.beta1).sign_(), -g.lr);
    mean.lerp_(gradient, 1 - g.beta2);
  }
}

}  // namespace openclip::train
