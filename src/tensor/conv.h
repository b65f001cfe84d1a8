// Convolution and pooling of channels-last images. Rank 2.
#pragma once

#include <cstdint>
#include <span>

#include "base/context.h"
#include "tensor/linear.h"
#include "tensor/tensor.h"

namespace openclip {

/// A batch of channels-last images: pixels [count * height * width, channels].
struct Images {
  Matrix pixels;
  int64_t count = 0, height = 0, width = 0;

  int64_t channels() const { return pixels.cols; }
};

struct ConvOptions {
  int64_t kernel = 1, stride = 1, padding = 0;
  UnaryOp op = UnaryOp::identity;
  ConstMatrix residual = {};  // as the output; added before `op`
};

/// Size of the output along one axis. Throws: InvalidArgument if the kernel does not fit.
int64_t conv_out_size(int64_t size, const ConvOptions& options);

/// out = op(conv(x, W) + b + residual) with a square kernel; weights [out_channels, kernel * kernel
/// * channels], a row in the order (ky, kx, channel). No window matrix is made: the product reads
/// the windows from x. Throws: InvalidArgument if weights or out do not fit. Source:
/// torch.nn.functional.conv2d.
void conv2d(const Context& context, const Images& x, const Linear& weights,
            const ConvOptions& options, const Images& out);

/// Means of `window` x `window` pixels. Throws: InvalidArgument if out does not fit.
/// Source: torch.nn.AvgPool2d(window).
void average_pool(const Context& context, const Images& x, int64_t window, const Images& out);

/// [count, channels, height, width] as preprocessing makes them to channels-last.
void channels_last(const Context& context, const float* x, const Images& out);

}  // namespace openclip
