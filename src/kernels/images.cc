#include "kernels/images.h"

#include <algorithm>
#include <cstring>

namespace openclip::kernels {

void PatchRows::copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                     size_t stride) const noexcept {
  const size_t area = patch_ * patch_;
  for (size_t i = 0; i < rows; ++i) {
    const size_t row = row_begin + i;
    const size_t image = row / (grid_rows_ * grid_cols_);
    const size_t top = row / grid_cols_ % grid_rows_ * patch_;
    const size_t left = row % grid_cols_ * patch_;
    const float* base = pixels_ + image * channels_ * height_ * width_;
    float* out = to + i * stride;
    for (size_t k = k_begin; k < k_begin + k_count;) {
      const size_t channel = k / area, y = k / patch_ % patch_, x = k % patch_;
      const size_t run = std::min(patch_ - x, k_begin + k_count - k);
      std::memcpy(out, base + (channel * height_ + top + y) * width_ + left + x,
                  run * sizeof(float));
      out += run;
      k += run;
    }
  }
}

void ConvRows::copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                    size_t stride) const noexcept {
  const ConvShape& s = shape_;
  const size_t out_width = s.out_width(), out_area = out_width * s.out_height();
  for (size_t i = 0; i < rows; ++i) {
    const size_t row = row_begin + i;
    const size_t image = row / out_area;
    const size_t top = row % out_area / out_width * s.stride;  // of the window, plus padding
    const size_t left = row % out_width * s.stride;
    const float* base = x_ + image * s.height * s.width * s.channels;
    float* out = to + i * stride;
    for (size_t k = k_begin; k < k_begin + k_count;) {
      const size_t tap = k / s.channels, channel = k % s.channels;
      const size_t ky = tap / s.kernel, kx = tap % s.kernel;
      const size_t y = top + ky - s.padding, x = left + kx - s.padding;  // wraps below zero
      // Pixels side by side are one run in memory: take the whole window row where it lies inside.
      const size_t last_x = left + s.kernel - 1 - s.padding;
      const size_t taps = x < s.width && last_x < s.width ? s.kernel - kx : 1;
      const size_t run = std::min(taps * s.channels - channel, k_begin + k_count - k);
      if (y < s.height && x < s.width)
        std::memcpy(out, base + (y * s.width + x) * s.channels + channel, run * sizeof(float));
      else
        std::fill(out, out + run, 0.0f);
      out += run;
      k += run;
    }
  }
}

void channels_last(const float* x, size_t channels, size_t pixels, float* out) {
  for (size_t p = 0; p < pixels; ++p)
    for (size_t c = 0; c < channels; ++c) out[p * channels + c] = x[c * pixels + p];
}

}  // namespace openclip::kernels
