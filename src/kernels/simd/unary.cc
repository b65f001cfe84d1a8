#include "kernels/unary.h"

#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/unary.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/math-inl.h"

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(unary_run);
}  // namespace

void unary_inplace(UnaryOp op, float* x, size_t count) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(unary_run)(op, x, count, 1, count);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
