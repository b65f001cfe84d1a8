// Kernels on images: where convolutions find their rows, pooling, layout. Rank 1.
#pragma once

#include <cstddef>

#include "kernels/matmul.h"

namespace openclip::kernels {

/// Non-overlapping square patches of [count, channels, height, width] images as rows of A: row
/// (image, patch_y, patch_x), column (channel, y, x), as torch's conv weight [out, c, y, x]
/// flattens. Pixels right of and below the last whole patch are ignored.
class PatchRows final : public RowSource {
 public:
  PatchRows(const float* pixels, size_t channels, size_t size, size_t patch)
      : PatchRows(pixels, channels, size, size, patch) {}
  PatchRows(const float* pixels, size_t channels, size_t height, size_t width, size_t patch)
      : pixels_(pixels),
        channels_(channels),
        height_(height),
        width_(width),
        patch_(patch),
        grid_rows_(height / patch),
        grid_cols_(width / patch) {}
  void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
            size_t stride) const noexcept override;

 private:
  const float* pixels_;
  size_t channels_, height_, width_, patch_, grid_rows_, grid_cols_;
};

/// Geometry of a square convolution over channels-last images.
struct ConvShape {
  size_t height = 0, width = 0, channels = 0;  // input
  size_t kernel = 1, stride = 1, padding = 0;

  size_t out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
  size_t out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
  size_t k() const { return kernel * kernel * channels; }
};

/// Windows of [count, height, width, channels] images as rows of A: row (image, out_y, out_x),
/// column (ky, kx, channel); zeros outside of the image.
class ConvRows final : public RowSource {
 public:
  ConvRows(const float* x, const ConvShape& shape) : x_(x), shape_(shape) {}
  void copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
            size_t stride) const noexcept override;

 private:
  const float* x_;
  ConvShape shape_;
};

/// Mean over windows of `window` x `window` pixels, as many apart: x [height, width, channels] of
/// one image to [height / window, width / window, channels]. Source: torch.nn.AvgPool2d(window).
void average_pool(const float* x, size_t height, size_t width, size_t channels, size_t window,
                  float* out);

/// [channels, pixels] to [pixels, channels] of one image.
void channels_last(const float* x, size_t channels, size_t pixels, float* out);

}  // namespace openclip::kernels
