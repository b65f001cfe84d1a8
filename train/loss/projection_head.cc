#include "loss/projection_head.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

namespace openclip::train {

void ProjectionHead::add_tensors(TensorStore& store, int64_t width, uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const auto add = [&](const char* name, const at::Tensor& value) {
    store.add({name, value.set_requires_grad(true), /*trainable=*/true, /*optional=*/false});
  };
  const double inputs = static_cast<double>(width);
  const auto normal = [&](int64_t rows, double deviation) {
    return at::empty({rows, width}, at::kFloat).normal_(0, deviation, generator);
  };
  add("aux.views.hidden.weight", normal(width, std::sqrt(2 / inputs)));
  add("aux.views.hidden.bias", at::zeros({width}, at::kFloat));
  add("aux.views.out.weight", normal(kOutputs, std::sqrt(1 / inputs)));
  add("aux.views.out.bias", at::zeros({kOutputs}, at::kFloat));
}

at::Tensor ProjectionHead::project(const TensorStore& store, const at::Tensor& pooled) {
  const at::Tensor hidden = at::relu(
      at::linear(pooled, store.get("aux.views.hidden.weight"), store.get("aux.views.hidden.bias")));
  return at::linear(hidden, store.get("aux.views.out.weight"), store.get("aux.views.out.bias"));
}

}  // namespace openclip::train
