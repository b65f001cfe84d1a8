#include "model/checkpointing.h"

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace openclip::train {
namespace {

using Segment = std::function<at::Tensor(const at::Tensor&)>;

struct SegmentHolder : torch::CustomClassHolder {
  Segment function;
  bool autocast = false;
  at::ScalarType type = at::kBFloat16;
};

class RestoreAutocast {
 public:
  RestoreAutocast(bool enabled, at::ScalarType type, at::DeviceType device) : device_(device) {
    before_ = at::autocast::is_autocast_enabled(device);
    if (enabled) at::autocast::set_autocast_dtype(device, type);
    at::autocast::set_autocast_enabled(device, enabled);
  }
  ~RestoreAutocast() {
    at::autocast::set_autocast_enabled(device_, before_);
    at::autocast::clear_cache();  // it holds casts of this graph's weights
  }

 private:
  at::DeviceType device_;
  bool before_;
};

class Recompute : public torch::autograd::Function<Recompute> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            Segment function) {
    auto holder = c10::make_intrusive<SegmentHolder>();
    const at::DeviceType device = x.device().type();
    holder->autocast = at::autocast::is_autocast_enabled(device);
    holder->type = at::autocast::get_autocast_dtype(device);
    holder->function = std::move(function);
    context->save_for_backward({x});
    context->saved_data["segment"] = c10::IValue::make_capsule(holder);
    return holder->function(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto holder = c10::static_intrusive_pointer_cast<SegmentHolder>(
        context->saved_data["segment"].toCapsule());
    const at::Tensor x = context->get_saved_variables()[0].detach().requires_grad_();
    at::Tensor y;
    {
      const c10::AutoGradMode with_graph(true);
      const RestoreAutocast autocast(holder->autocast, holder->type, x.device().type());
      y = holder->function(x);
    }
    y.backward(gradients[0]);
    return {x.grad(), at::Tensor()};
  }
};

}  // namespace

at::Tensor checkpoint(Segment function, const at::Tensor& x) {
  if (!c10::GradMode::is_enabled()) return function(x);
  // The result needs a gradient for the weights' sake, even where x is constant.
  return Recompute::apply(x.requires_grad() ? x : x.detach().requires_grad_(), std::move(function));
}

}  // namespace openclip::train
