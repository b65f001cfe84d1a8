// The learning rate of each step.
#pragma once

#include <cstdint>

namespace openclip::train {

/// open_clip's --lr-scheduler: cosine, const, const-cooldown; none = --skip-scheduler.
enum class ScheduleKind { cosine, constant, constant_cooldown, none };

struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double base_lr = 5e-4;
  int64_t warmup_steps = 10000;
  int64_t total_steps = 0;
  int64_t cooldown_steps = 0;
  double cooldown_power = 1;
  double cooldown_end_lr = 0;

  /// Learning rate of optimiser step `step` (from 0). Source: open_clip_train/scheduler.py.
  double lr(int64_t step) const;
};

}  // namespace openclip::train
