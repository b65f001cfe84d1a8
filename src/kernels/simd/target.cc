#include "kernels/simd/target.h"

#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/target.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

int64_t own_target() { return HWY_TARGET; }

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(own_target);
}  // namespace

int64_t chosen_target() {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(own_target)();
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
