// Low-precision arithmetic where PyTorch deems it safe.
#pragma once

#include <ATen/autocast_mode.h>

namespace openclip::train {

/// Autocast to `type` for the life of the object; kFloat = none.
class Autocast {
 public:
  Autocast(at::ScalarType type, at::DeviceType device)
      : enabled_(type != at::kFloat), device_(device) {
    if (!enabled_) return;
    at::autocast::set_autocast_dtype(device_, type);
    at::autocast::set_autocast_enabled(device_, true);
  }
  ~Autocast() {
    if (!enabled_) return;
    at::autocast::set_autocast_enabled(device_, false);
    at::autocast::clear_cache();
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool enabled_;
  at::DeviceType device_;
};

}  // namespace openclip::train
