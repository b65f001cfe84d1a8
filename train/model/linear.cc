#include "model/linear.h"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "base/error.h"

namespace openclip::train {
namespace {

constexpr const char* kA = ".lora_a";
constexpr const char* kB = ".lora_b";

bool takes_adapter(const NamedParameter& entry) {
  const std::string& name = entry.name;
  return entry.trainable && entry.tensor.dim() == 2 &&
         name.find("resblocks.") != std::string::npos &&
         (name.ends_with("in_proj_weight") || name.ends_with("out_proj.weight") ||
          name.ends_with("c_fc.weight") || name.ends_with("c_proj.weight"));
}

}  // namespace

at::Tensor linear(const TensorStore& store, const std::string& weight, const std::string& bias,
                  const at::Tensor& x) {
  const at::Tensor y = at::linear(x, store.get(weight), store.get(bias));
  if (!store.has(weight + kA)) return y;
  return y + store.lora_scale() *
                 at::linear(at::linear(x, store.get(weight + kA)), store.get(weight + kB));
}

at::Tensor linear_part(const TensorStore& store, const std::string& weight, const std::string& bias,
                       const at::Tensor& x, int64_t first, int64_t count) {
  const auto part = [&](const at::Tensor& tensor) { return tensor.slice(0, first, first + count); };
  const at::Tensor y = at::linear(x, part(store.get(weight)), part(store.get(bias)));
  if (!store.has(weight + kA)) return y;
  return y + store.lora_scale() *
                 at::linear(at::linear(x, store.get(weight + kA)), part(store.get(weight + kB)));
}

void add_lora(TensorStore& store, int64_t rank, double alpha, uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  std::vector<NamedParameter> adapters;
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    adapters.push_back({name, value.set_requires_grad(true), true, true, /*adapter=*/true});
  };
  for (NamedParameter& entry : store.entries()) {
    if (takes_adapter(entry)) {
      const int64_t out = entry.tensor.size(0), in = entry.tensor.size(1);
      const double bound = 1 / std::sqrt(static_cast<double>(in));
      add(entry.name + kA, at::empty({rank, in}, at::kFloat).uniform_(-bound, bound, generator));
      add(entry.name + kB, at::zeros({out, rank}, at::kFloat));
    }
    if (!entry.trainable || entry.name == "logit_scale" || entry.name == "logit_bias") continue;
    entry.trainable = false;
    entry.tensor.set_requires_grad(false);
  }
  check_arg(!adapters.empty(), "--lora-rank: no layer of the model takes an adapter");
  for (NamedParameter& adapter : adapters) store.add(std::move(adapter));
  store.set_lora_scale(alpha / static_cast<double>(rank));
}

at::Tensor merged(const TensorStore& store, const NamedParameter& entry) {
  if (!store.has(entry.name + kA)) return entry.tensor;
  const c10::NoGradGuard no_grad;
  return entry.tensor +
         store.lora_scale() * at::matmul(store.get(entry.name + kB), store.get(entry.name + kA));
}

}  // namespace openclip::train
