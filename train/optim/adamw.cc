#include "optim/adamw.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace openclip::train {

void set_defaults_by_model(AdamWOptions& options, const std::string& model_name) {
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

AdamW::AdamW(const std::vector<TensorStore*>& stores, const AdamWOptions& options)
    : options_(options) {
  for (TensorStore* store : stores) {
    for (NamedParameter& entry : store->entries()) {
      if (!entry.trainable) continue;
      Slot slot;
      slot.name = entry.name;
      slot.parameter = entry.tensor;
      slot.mean = at::zeros_like(entry.tensor.detach());
      slot.square = at::zeros_like(entry.tensor.detach());
      slot.steps = at::zeros({}, entry.tensor.options().requires_grad(false));
      slot.weight_decay = is_decay_free(entry.name, entry.tensor.dim()) ? 0 : options.weight_decay;
      slots_.push_back(std::move(slot));
    }
  }
}

void AdamW::step(double lr) {
  const c10::NoGradGuard no_grad;
  for (const double decay : {0.0, options_.weight_decay}) {
    std::vector<at::Tensor> parameters, grads, means, squares, steps;
    for (Slot& slot : slots_) {
      if (slot.weight_decay != decay || !slot.parameter.grad().defined()) continue;
      parameters.push_back(slot.parameter);
      at::Tensor grad = slot.parameter.grad();
      // The fused kernel walks raw memory: layouts must agree (conv weights are channels last).
      if (grad.strides() != slot.parameter.strides())
        grad = at::empty_like(slot.parameter.detach()).copy_(grad);
      grads.push_back(grad);
      means.push_back(slot.mean);
      squares.push_back(slot.square);
      steps.push_back(slot.steps.add_(1));
    }
    if (!parameters.empty())
      at::_fused_adamw_(parameters, grads, means, squares, /*max_exp_avg_sqs=*/{}, steps, lr,
                        options_.beta1, options_.beta2, decay, options_.eps, /*amsgrad=*/false,
                        /*maximize=*/false);
    if (options_.weight_decay == 0) break;
  }
}

void AdamW::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad().reset();
}

double AdamW::clip_grad_norm(double max_norm) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> norms;
  for (Slot& slot : slots_)
    if (slot.parameter.grad().defined()) norms.push_back(slot.parameter.grad().norm());
  if (norms.empty()) return 0;
  const double total = at::stack(norms).norm().item<double>();
  const double factor = max_norm / (total + 1e-6);
  if (factor < 1)
    for (Slot& slot : slots_)
      if (slot.parameter.grad().defined()) slot.parameter.mutable_grad().mul_(factor);
  return total;
}

TensorList AdamW::state() const {
  TensorList list;
  for (const Slot& slot : slots_) {
    list.emplace_back("exp_avg." + slot.name, slot.mean);
    list.emplace_back("exp_avg_sq." + slot.name, slot.square);
    list.emplace_back("step." + slot.name, slot.steps);
  }
  return list;
}

void AdamW::load_state(const SafetensorsFile& file, const std::string& source) {
  for (Slot& slot : slots_) {
    const auto load = [&](const char* kind, at::Tensor& target) {
      const std::string name = kind + slot.name;
      const auto found = file.tensors().find(name);
      if (found == file.tensors().end() || found->second.shape != target.sizes().vec())
        throw ParseError(source, "does not fit the model: '" + name + "'");
      target.copy_(tensor_from_view(name, found->second));
    };
    load("exp_avg.", slot.mean);
    load("exp_avg_sq.", slot.square);
    load("step.", slot.steps);
  }
}

}  // namespace openclip::train
