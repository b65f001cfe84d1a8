// Depthwise convolution of channels-last images. Rank 1.
#pragma once

#include <cstddef>

namespace openclip::kernels {

/// Size of the window; what ConvNeXt has.
inline constexpr size_t kDepthwiseKernel = 7;

/// Channels that are computed together: a cache line, so that each line of the image is read once.
inline constexpr size_t kDepthwiseBlock = 16;

/// Blocks of an image with `channels` channels.
constexpr size_t depthwise_blocks(size_t channels) {
  return (channels + kDepthwiseBlock - 1) / kDepthwiseBlock;
}

/// Floats of packed weights, and of the bias, of one block.
inline constexpr size_t kDepthwiseTaps = kDepthwiseKernel * kDepthwiseKernel * kDepthwiseBlock;

/// One image and the packed weights of its channels.
struct Depthwise {
  const float* x = nullptr;  // [height, width, channels]
  size_t height = 0, width = 0, channels = 0;
  const float* weights = nullptr;  // pack_depthwise()'s, [blocks, 7, 7, 16]
  const float* bias = nullptr;     // [blocks, 16]
};

/// What of an image is computed: some blocks of channels of some rows.
struct DepthwisePart {
  size_t block_begin = 0, block_end = 0, row_begin = 0, row_end = 0;
};

/// Turns torch's Conv2d.weight [channels, 1, 7, 7] and bias [channels] to the order above; channels
/// that fill the last block up become zeros.
void pack_depthwise(const float* weight, const float* bias, size_t channels, float* packed_weights,
                    float* packed_bias);

/// Floats of scratch that depthwise_conv() needs for images of this width.
constexpr size_t depthwise_scratch_floats(size_t width) {
  return kDepthwiseKernel * (width + kDepthwiseKernel - 1) * kDepthwiseBlock;
}

/// out[y, x, c] = bias[c] + sum over ky, kx of x[y + ky - 3, x + kx - 3, c] weights[c, ky, kx],
/// with zeros outside of the image. Stride 1, so the output has the image's size; `out` is its
/// base, whatever part is asked for, and must not overlap x. Any alignment; runs on the calling
/// thread. Source: torch.nn.functional.conv2d with groups = channels and padding 3.
void depthwise_conv(const Depthwise& image, const DepthwisePart& part, float* scratch, float* out);

}  // namespace openclip::kernels
