#include "dist/gradient_reducer.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace openclip::train {

class GradientReducer::Hook : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientReducer& reducer, size_t slot) : reducer_(reducer), slot_(slot) {}
  void operator()(const at::Tensor&) override {
    if (reducer_.armed_) reducer_.ready(slot_);
  }

 private:
  GradientReducer& reducer_;
  size_t slot_;
};

GradientReducer::GradientReducer(const std::vector<TensorStore*>& stores, Communicator& processes,
                                 int64_t bucket_bytes)
    : processes_(processes), bucket_bytes_(bucket_bytes) {
  if (processes.size() == 1) return;
  for (TensorStore* store : stores)
    for (NamedParameter& entry : store->entries())
      if (entry.trainable) slots_.push_back({.parameter = entry.tensor});
  std::vector<size_t> order;
  for (size_t i = slots_.size(); i > 0; --i) order.push_back(i - 1);  // the last layers come first
  arrange(order);
  for (size_t i = 0; i < slots_.size(); ++i)
    torch::autograd::impl::set_post_acc_grad_hooks(slots_[i].parameter,
                                                   std::make_unique<Hook>(*this, i));
}

GradientReducer::~GradientReducer() {
  for (Slot& slot : slots_) torch::autograd::impl::set_post_acc_grad_hooks(slot.parameter, nullptr);
}

void GradientReducer::arrange(const std::vector<size_t>& order) {
  buckets_.clear();
  int64_t elements = 0;
  const auto close = [&] {
    if (elements > 0)
      buckets_.back().memory = at::empty(
          {elements}, slots_[buckets_.back().slots[0]].parameter.options().requires_grad(false));
    elements = 0;
  };
  for (const size_t i : order) {
    if (elements == 0) buckets_.emplace_back();
    Slot& slot = slots_[i];
    slot.bucket = buckets_.size() - 1;
    slot.offset = elements;
    buckets_.back().slots.push_back(i);
    elements += slot.parameter.numel();
    if (elements * 4 >= bucket_bytes_) close();
  }
  close();
}

void GradientReducer::begin() {
  if (slots_.empty()) return;
  if (!agreed_.empty()) arrange(std::exchange(agreed_, {}));
  for (Slot& slot : slots_) slot.ready = slot.used = false;
  for (Bucket& bucket : buckets_) bucket.missing = bucket.slots.size();
  next_bucket_ = 0;
  armed_ = true;
}

// Copies the gradient to its place; starts the sum where it was the last of its bucket.
void GradientReducer::ready(size_t index) {
  Slot& slot = slots_[index];
  if (slot.ready) return;
  const c10::NoGradGuard no_grad;
  Bucket& bucket = buckets_[slot.bucket];
  const at::Tensor place = bucket.memory.slice(0, slot.offset, slot.offset + slot.parameter.numel())
                               .view(slot.parameter.sizes());
  at::Tensor& gradient = slot.parameter.mutable_grad();
  slot.used = gradient.defined();
  if (slot.used)
    place.copy_(gradient);
  else
    place.zero_();
  gradient = place;
  slot.ready = true;
  --bucket.missing;
  if (!ordered_) observed_.push_back(index);
  start_complete_buckets();
}

void GradientReducer::start_complete_buckets() {
  for (; next_bucket_ < buckets_.size() && buckets_[next_bucket_].missing == 0; ++next_bucket_)
    buckets_[next_bucket_].sum = processes_.all_reduce_async(buckets_[next_bucket_].memory);
}

void GradientReducer::finish() {
  if (slots_.empty()) return;
  armed_ = false;
  for (size_t i = 0; i < slots_.size(); ++i) ready(i);  // those that got none
  for (Bucket& bucket : buckets_) std::exchange(bucket.sum, nullptr)->wait();
  drop_unused();
  if (!ordered_) follow_observed_order();
}

void GradientReducer::drop_unused() {
  std::vector<float> used;
  for (const Slot& slot : slots_) used.push_back(slot.used ? 1 : 0);
  at::Tensor anywhere = at::tensor(used).to(slots_[0].parameter.device());
  processes_.all_reduce(anywhere);
  anywhere = anywhere.cpu();
  for (size_t i = 0; i < slots_.size(); ++i)
    if (anywhere.data_ptr<float>()[i] == 0) slots_[i].parameter.mutable_grad().reset();
}

void GradientReducer::follow_observed_order() {
  std::vector<int64_t> order(observed_.begin(), observed_.end());
  at::Tensor first = at::tensor(order, at::kLong).to(slots_[0].parameter.device());
  processes_.broadcast(first, 0);
  first = first.cpu();
  for (size_t i = 0; i < slots_.size(); ++i)
    agreed_.push_back(static_cast<size_t>(first.data_ptr<int64_t>()[i]));
  ordered_ = true;
}

}  // namespace openclip::train
