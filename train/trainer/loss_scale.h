// The factor that keeps f16 gradients out of the range that f16 cannot hold.
#pragma once

#include <algorithm>
#include <cstdint>

namespace openclip::train {

/// torch.amp.GradScaler's rule: halved after a step with infinite gradients (which is left out),
/// doubled after 2000 good ones.
class LossScale {
 public:
  static constexpr int64_t kStart = 65536, kInterval = 2000;

  LossScale(int64_t value, int64_t good_steps) : value_(value), good_steps_(good_steps) {}

  int64_t value() const { return value_; }
  int64_t good_steps() const { return good_steps_; }

  void update(bool finite) {
    if (!finite) {
      value_ = std::max<int64_t>(1, value_ / 2);
      good_steps_ = 0;
    } else if (++good_steps_ == kInterval) {
      value_ *= 2;
      good_steps_ = 0;
    }
  }

 private:
  int64_t value_, good_steps_;
};

}  // namespace openclip::train
