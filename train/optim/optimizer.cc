#include "optim/optimizer.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/error.h"
#include "optim/update_rules.h"

namespace openclip::train {

void set_defaults_by_model(OptimizerOptions& options, const std::string& model_name) {
  std::string lower = model_name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const bool vit = lower.find("vit") != std::string::npos;
  options.lr = 5e-4;
  options.beta1 = 0.9;
  options.beta2 = vit ? 0.98 : 0.999;
  options.eps = vit ? 1e-6 : 1e-8;
}

bool is_decay_free(const std::string& name, int64_t dimensions) {
  if (dimensions < 2) return true;
  for (const char* part : {"bn", "ln", "bias", "logit_scale"})
    if (name.find(part) != std::string::npos) return true;
  return false;
}

Optimizer::Optimizer(const std::vector<TensorStore*>& stores, const OptimizerOptions& options,
                     Communicator& processes)
    : options_(options), processes_(processes), me_(processes.rank()) {
  if (processes.size() == 1) options_.sharded = false;
  for (TensorStore* store : stores) {
    for (NamedParameter& entry : store->entries()) {
      if (!entry.trainable) continue;
      Slot slot;
      slot.name = entry.name;
      slot.parameter = entry.tensor;
      slot.weight_decay = is_decay_free(entry.name, entry.tensor.dim()) ? 0 : options.weight_decay;
      slot.lr_factor = options.lr_factor ? options.lr_factor(entry.name) : 1;
      slots_.push_back(std::move(slot));
    }
  }
  if (options_.sharded) share_out();
  for (Slot& slot : slots_)
    if (is_mine(slot)) create_state(slot);
}

// The largest tensors first, each to the process that has least so far.
void Optimizer::share_out() {
  std::vector<Slot*> order;
  for (Slot& slot : slots_) order.push_back(&slot);
  std::stable_sort(order.begin(), order.end(), [](const Slot* a, const Slot* b) {
    return a->parameter.numel() > b->parameter.numel();
  });
  std::vector<int64_t> load(static_cast<size_t>(processes_.size()));
  for (Slot* slot : order) {
    const auto least = std::min_element(load.begin(), load.end());
    slot->owner = static_cast<int>(least - load.begin());
    *least += slot->parameter.numel();
  }
}

std::vector<std::pair<const char*, at::Tensor Optimizer::Slot::*>> Optimizer::parts() const {
  if (options_.kind == OptimizerKind::lion)
    return {{"exp_avg.", &Slot::mean}, {"step.", &Slot::steps}};
  return {{"exp_avg.", &Slot::mean}, {"exp_avg_sq.", &Slot::square}, {"step.", &Slot::steps}};
}

void Optimizer::create_state(Slot& slot) const {
  const at::Tensor like = slot.parameter.detach();
  slot.mean = at::zeros_like(like);
  if (options_.kind != OptimizerKind::lion) slot.square = at::zeros_like(like);
  slot.steps = at::zeros({}, like.options());
}

void Optimizer::step(double lr) {
  const c10::NoGradGuard no_grad;
  std::map<std::pair<double, double>, UpdateGroup> groups;
  for (Slot& slot : slots_) {
    if (!is_mine(slot) || !slot.parameter.grad().defined()) continue;
    UpdateGroup& group = groups[{slot.weight_decay, slot.lr_factor}];
    at::Tensor grad = slot.parameter.grad();
    // The fused kernel walks raw memory: layouts must agree (conv weights are channels last).
    if (grad.strides() != slot.parameter.strides())
      grad = at::empty_like(slot.parameter.detach()).copy_(grad);
    group.parameters.push_back(slot.parameter);
    group.gradients.push_back(grad);
    group.means.push_back(slot.mean);
    group.squares.push_back(slot.square);
    group.steps.push_back(slot.steps.add_(1));
  }
  for (auto& [key, group] : groups) {
    group.weight_decay = key.first;
    group.lr = lr * key.second;
    group.beta1 = options_.beta1;
    group.beta2 = options_.beta2;
    group.eps = options_.eps;
    switch (options_.kind) {
      case OptimizerKind::adamw:
        adamw_update(group);
        break;
      case OptimizerKind::nadamw:
        nadamw_update(group);
        break;
      case OptimizerKind::lion:
        lion_update(group);
        break;
    }
  }
  if (options_.sharded) send_updates();
}

// Each process's new weights, in one message.
void Optimizer::send_updates() {
  for (int owner = 0; owner < processes_.size(); ++owner) {
    std::vector<at::Tensor> flat;
    for (const Slot& slot : slots_)
      if (slot.owner == owner) flat.push_back(slot.parameter.detach().reshape({-1}));
    if (flat.empty()) continue;
    const at::Tensor message = at::cat(flat);
    processes_.broadcast(message, owner);
    if (owner == me_) continue;
    int64_t at = 0;
    for (Slot& slot : slots_) {
      if (slot.owner != owner) continue;
      const int64_t count = slot.parameter.numel();
      slot.parameter.detach().copy_(message.slice(0, at, at + count).view(slot.parameter.sizes()));
      at += count;
    }
  }
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad().reset();
}

double Optimizer::clip_grad_norm(double max_norm) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> norms;
  for (Slot& slot : slots_)
    if (slot.parameter.grad().defined()) norms.push_back(slot.parameter.grad().norm());
  if (norms.empty()) return 0;
  const double total = at::stack(norms).norm().item<double>();
  const double factor = max_norm / (total + 1e-6);
  if (factor < 1) scale_gradients(factor);
  return total;
}

bool Optimizer::scale_gradients(double factor) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> sums;
  for (Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    slot.parameter.mutable_grad().mul_(factor);
    sums.push_back(slot.parameter.grad().sum());
  }
  return sums.empty() || at::stack(sums).isfinite().all().item<bool>();
}

TensorList Optimizer::state() const {
  TensorList list;
  for (const Slot& slot : slots_) {
    for (const auto& [kind, member] : parts()) {
      const bool steps = std::string_view(kind) == "step.";
      at::Tensor value = slot.*member;
      if (options_.sharded) {
        if (!value.defined())
          value = at::empty(steps ? at::IntArrayRef{} : slot.parameter.sizes(),
                            slot.parameter.options().requires_grad(false));
        processes_.broadcast(value, slot.owner);
      }
      if (me_ == 0) list.emplace_back(kind + slot.name, value.to(at::kCPU, false, /*copy=*/true));
    }
  }
  return list;
}

void Optimizer::load_state(const SafetensorsFile& file, const std::string& source) {
  for (Slot& slot : slots_) {
    if (!is_mine(slot)) continue;
    for (const auto& [kind, member] : parts()) {
      const std::string name = kind + slot.name;
      const auto found = file.tensors().find(name);
      if (found == file.tensors().end() || found->second.shape != (slot.*member).sizes().vec())
        throw ParseError(source, "does not fit the model or the optimiser: '" + name + "'");
      (slot.*member).copy_(tensor_from_view(name, found->second));
    }
  }
}

int64_t Optimizer::state_bytes() const {
  int64_t bytes = 0;
  for (const Slot& slot : slots_)
    for (const auto& [kind, member] : parts())
      if ((slot.*member).defined()) bytes += static_cast<int64_t>((slot.*member).nbytes());
  return bytes;
}

}  // namespace openclip::train
