// Convolution and pooling of channels-last images. Rank 2.
#pragma once

#include <cstdint>
#include <span>

#include "base/context.h"
#include "tensor/linear.h"
#include "tensor/tensor.h"
#include "tensor/workspace.h"

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

/// Weights of a depthwise 7x7 convolution, turned once to the order in which the kernel reads them.
/// Immutable, movable.
class DepthwiseWeights {
 public:
  DepthwiseWeights() = default;
  /// weight: torch's Conv2d.weight with groups = channels, [channels, 1, 7, 7]; bias [channels].
  /// Both are copied. Throws: InvalidArgument for wrong lengths.
  DepthwiseWeights(std::span<const float> weight, std::span<const float> bias, int64_t channels);

  int64_t channels() const { return channels_; }
  const float* taps() const { return taps_.data(); }
  const float* bias() const { return bias_.data(); }

 private:
  int64_t channels_ = 0;
  Buffer taps_, bias_;
};

/// out[y, x, c] = bias[c] + the 7x7 window of channel c * channels(x) / channels(out) around
/// (stride * y, stride * x) times its weights; zeros outside of the image. x has as many channels
/// as the weights or an integer fraction of them. out: [ceil(size / stride)], another place than x.
/// With a stride above 1 all pixels are computed and some kept. Throws: InvalidArgument if weights
/// or out do not fit. Source: torch.nn.functional.conv2d with groups = channels(x) and padding 3.
void depthwise_conv(const Context& context, Workspace& workspace, const Images& x,
                    const DepthwiseWeights& weights, const Images& out, int64_t stride = 1);

/// Means of `window` x `window` pixels. Throws: InvalidArgument if out does not fit.
/// Source: torch.nn.AvgPool2d(window).
void average_pool(const Context& context, const Images& x, int64_t window, const Images& out);

/// [count, channels, height, width] as preprocessing makes them to channels-last.
void channels_last(const Context& context, const float* x, const Images& out);

}  // namespace openclip
