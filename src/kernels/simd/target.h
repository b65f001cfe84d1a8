// Which of the copies of a kernel runs. Rank 1.
#pragma once

#include <cstdint>

namespace openclip::kernels {

/// Highway's number of the target that dispatch has chosen, as a kernel sees it; for isa_name() and
/// its test, which must not believe what they have asked for.
int64_t chosen_target();

}  // namespace openclip::kernels
