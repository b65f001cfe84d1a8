#include "kernels/rows.h"

#include "kernels/images.h"
#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/rows.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

void norm_rows(Rows<const float> x, const float* weight, const float* bias, float eps,
               Rows<float> out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const float inverse_width = 1.0f / static_cast<float>(x.width);
  for (size_t row = 0; row < x.count; ++row) {
    const float* from = x.row(row);
    float* to = out.row(row);
    const float mean =
        inverse_width * sum_terms(
                            x.width, [&](size_t i) HWY_ATTR { return hn::LoadU(d, from + i); },
                            [&](size_t i) { return from[i]; });
    const auto mean_v = hn::Set(d, mean);
    const float variance =
        inverse_width * sum_terms(
                            x.width,
                            [&](size_t i) HWY_ATTR {
                              const auto v = hn::Sub(hn::LoadU(d, from + i), mean_v);
                              return hn::Mul(v, v);
                            },
                            [&](size_t i) { return (from[i] - mean) * (from[i] - mean); });
    const float factor = 1.0f / std::sqrt(variance + eps);
    const auto factor_v = hn::Set(d, factor);
    size_t i = 0;
    for (; i + lanes <= x.width; i += lanes) {
      const auto v = hn::Mul(hn::Sub(hn::LoadU(d, from + i), mean_v), factor_v);
      hn::StoreU(hn::MulAdd(v, hn::LoadU(d, weight + i), hn::LoadU(d, bias + i)), d, to + i);
    }
    for (; i < x.width; ++i) to[i] = (from[i] - mean) * factor * weight[i] + bias[i];
  }
}

void softmax_rows(Rows<float> x) {
  if (x.width == 0) return;
  for (size_t row = 0; row < x.count; ++row)
    row_scale(x.row(row), x.width, 1.0f / row_exp(x.row(row), x.width, 1.0f));
}

void normalise_rows(Rows<float> x) {
  for (size_t row = 0; row < x.count; ++row) {
    float* data = x.row(row);
    const float length = std::sqrt(row_dot(data, data, x.width));
    row_scale(data, x.width, 1.0f / std::max(length, 1e-12f));
  }
}

void mean_rows(Rows<const float> x, float* out) {
  std::fill(out, out + x.width, 0.0f);
  for (size_t row = 0; row < x.count; ++row) row_add_scaled(x.row(row), x.width, 1.0f, out);
  if (x.count != 0) row_scale(out, x.width, 1.0f / static_cast<float>(x.count));
}

void sum_rows(Rows<const float> x, Rows<const float> y, Rows<float> out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t row = 0; row < x.count; ++row) {
    const float* a = x.row(row);
    const float* b = y.row(row);
    float* to = out.row(row);
    size_t i = 0;
    for (; i + lanes <= x.width; i += lanes)
      hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, to + i);
    for (; i < x.width; ++i) to[i] = a[i] + b[i];
  }
}

void pool(const float* x, size_t height, size_t width, size_t channels, size_t window, float* out) {
  const float share = 1.0f / static_cast<float>(window * window);
  for (size_t y = 0; y < height / window; ++y) {
    for (size_t column = 0; column < width / window; ++column, out += channels) {
      std::fill(out, out + channels, 0.0f);
      for (size_t dy = 0; dy < window; ++dy)
        for (size_t dx = 0; dx < window; ++dx)
          row_add_scaled(x + ((y * window + dy) * width + column * window + dx) * channels,
                         channels, share, out);
    }
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(norm_rows);
HWY_EXPORT(softmax_rows);
HWY_EXPORT(normalise_rows);
HWY_EXPORT(mean_rows);
HWY_EXPORT(sum_rows);
HWY_EXPORT(pool);
}  // namespace

void layer_norm(Rows<const float> x, const float* weight, const float* bias, float eps,
                Rows<float> out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(norm_rows)(x, weight, bias, eps, out);
}

void softmax_inplace(Rows<float> x) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(softmax_rows)(x);
}

void l2_normalise_inplace(Rows<float> x) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(normalise_rows)(x);
}

void mean_of_rows(Rows<const float> x, float* out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(mean_rows)(x, out);
}

void add_rows(Rows<const float> x, Rows<const float> y, Rows<float> out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(sum_rows)(x, y, out);
}

void average_pool(const float* x, size_t height, size_t width, size_t channels, size_t window,
                  float* out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(pool)(x, height, width, channels, window, out);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
