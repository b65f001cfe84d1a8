#include "model/tensor_store.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <vector>

#include "base/error.h"
#include "models/config/sin_cos.h"

namespace openclip::train {
namespace {

at::Tensor initial_value(const TensorSpec& spec, const at::Generator& generator) {
  if (spec.is_int64) return at::zeros(spec.shape, at::kLong);
  at::Tensor tensor = at::empty(spec.shape, at::kFloat);
  switch (spec.init.kind) {
    case Init::Kind::constant:
      tensor.fill_(spec.init.a);
      break;
    case Init::Kind::normal:
      tensor.normal_(0, spec.init.a, generator);
      break;
    case Init::Kind::uniform:
      tensor.uniform_(-spec.init.a, spec.init.a, generator);
      break;
    case Init::Kind::sin_cos: {  // [1 + grid * grid, width]
      const int grid = static_cast<int>(std::lround(std::sqrt(double(spec.shape[0] - 1))));
      std::vector<float> fixed = sin_cos_positions(grid, static_cast<int>(spec.shape[1]));
      tensor.copy_(at::from_blob(fixed.data(), spec.shape, at::kFloat));
      break;
    }
  }
  return tensor.dim() == 4 ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor;
}

}  // namespace

TensorStore TensorStore::create(const std::vector<TensorSpec>& specs, uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  TensorStore store;
  for (const TensorSpec& spec : specs) {
    at::Tensor tensor = initial_value(spec, generator);
    if (spec.trainable) tensor.set_requires_grad(true);
    store.add({spec.name, tensor, spec.trainable, spec.optional});
  }
  return store;
}

const at::Tensor& TensorStore::get(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) throw Internal("the model has no tensor '" + name + "'");
  return entries_[found->second].tensor;
}

void TensorStore::add(NamedParameter parameter) {
  if (!index_.emplace(parameter.name, entries_.size()).second)
    throw Internal("tensor '" + parameter.name + "' exists already");
  entries_.push_back(std::move(parameter));
}

void TensorStore::to(const at::Device& device) {
  for (NamedParameter& entry : entries_) {
    if (entry.tensor.device() == device) continue;
    entry.tensor = entry.tensor.detach().to(device);
    if (entry.trainable) entry.tensor.set_requires_grad(true);
  }
}

int64_t TensorStore::trainable_count() const {
  int64_t count = 0;
  for (const NamedParameter& entry : entries_)
    if (entry.trainable) count += entry.tensor.numel();
  return count;
}

TensorStore TensorStore::clone() const {
  TensorStore copy;
  for (const NamedParameter& entry : entries_)
    copy.add({entry.name, entry.tensor.detach().clone(), entry.trainable, entry.optional,
              entry.adapter});
  copy.lora_scale_ = lora_scale_;
  return copy;
}

}  // namespace openclip::train
