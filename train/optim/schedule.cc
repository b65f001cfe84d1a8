#include "optim/schedule.h"

#include <cmath>
#include <numbers>

namespace openclip::train {

double Schedule::lr(int64_t step) const {
  if (kind == ScheduleKind::none) return base_lr;
  if (step < warmup_steps) return base_lr * (step + 1) / warmup_steps;
  if (kind == ScheduleKind::constant) return base_lr;
  if (kind == ScheduleKind::constant_cooldown) {
    const int64_t start = total_steps - cooldown_steps;
    if (step < start) return base_lr;
    const double left = 1 - static_cast<double>(step - start) / (total_steps - start);
    return std::pow(left, cooldown_power) * (base_lr - cooldown_end_lr) + cooldown_end_lr;
  }
  const double done = static_cast<double>(step - warmup_steps);
  const double all = static_cast<double>(total_steps - warmup_steps);
  return 0.5 * (1 + std::cos(std::numbers::pi * done / all)) * base_lr;
}

}  // namespace openclip::train
