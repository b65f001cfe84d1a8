// Loops over the columns of rows that are as wide as they are: whole vectors, then single lanes.
// For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_COLUMNS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_COLUMNS_INL_H_
#undef OPENCLIP_KERNELS_SIMD_COLUMNS_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_COLUMNS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A vector's worth of columns from `at` on.
template <class D>
struct SomeColumns {
  D d;
  size_t at;
  hn::Vec<D> load(const float* row) const { return hn::LoadU(d, row + at); }
  void store(hn::Vec<D> v, float* row) const { hn::StoreU(v, d, row + at); }
};

// Whole vectors, then the columns that do not fill one.
template <class Body>
HWY_INLINE void for_columns(size_t width, const Body& body) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  size_t at = 0;
  for (; at + hn::Lanes(d) <= width; at += hn::Lanes(d))
    body(SomeColumns<hn::ScalableTag<float>>{d, at});
  for (; at < width; ++at) body(SomeColumns<hn::CappedTag<float, 1>>{one, at});
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
