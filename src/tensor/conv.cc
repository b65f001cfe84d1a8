#include "tensor/conv.h"

#include <algorithm>

#include "base/parallel.h"
#include "kernels/depthwise.h"
#include "kernels/images.h"
#include "tensor/split.h"

namespace openclip {
namespace {

void check_images(const char* op, const Images& x, int64_t height, int64_t width,
                  int64_t channels) {
  check_arg(x.height == height && x.width == width && x.channels() == channels &&
                x.pixels.rows == x.count * height * width && x.pixels.stride == channels,
            "[{}] images must be dense [{}, {}, {}, {}], got [{}, {}, {}, {}] in {}", op, x.count,
            height, width, channels, x.count, x.height, x.width, x.channels(),
            x.pixels.shape_str());
}

size_t unsigned_of(int64_t value) { return static_cast<size_t>(value); }

}  // namespace

int64_t conv_out_size(int64_t size, const ConvOptions& options) {
  check_arg(options.kernel > 0 && options.stride > 0 && options.padding >= 0 &&
                size + 2 * options.padding >= options.kernel,
            "[conv2d] a kernel of {} (padding {}) does not fit {} pixels", options.kernel,
            options.padding, size);
  return (size + 2 * options.padding - options.kernel) / options.stride + 1;
}

void conv2d(const Context& context, const Images& x, const Linear& weights,
            const ConvOptions& options, const Images& out) {
  check_images("conv2d", x, x.height, x.width, x.channels());
  check_images("conv2d", out, conv_out_size(x.height, options), conv_out_size(x.width, options),
               weights.out());
  check_arg(out.count == x.count, "[conv2d] out must hold {} images (as x), got {}", x.count,
            out.count);
  const int64_t k = options.kernel * options.kernel * x.channels();
  check_arg(weights.in() == k, "[conv2d] weights must have {} inputs (kernel^2 x channels), got {}",
            k, weights.in());
  const LinearOptions fused{options.op, options.residual};
  if (options.kernel == 1 && options.stride == 1 && options.padding == 0)
    return linear(context, x.pixels, weights, out.pixels, fused);
  const kernels::ConvShape shape{unsigned_of(x.height),       unsigned_of(x.width),
                                 unsigned_of(x.channels()),   unsigned_of(options.kernel),
                                 unsigned_of(options.stride), unsigned_of(options.padding)};
  linear(context, kernels::ConvRows(x.pixels.data, shape), weights, out.pixels, fused);
}

DepthwiseWeights::DepthwiseWeights(std::span<const float> weight, std::span<const float> bias,
                                   int64_t channels)
    : channels_(channels) {
  constexpr size_t kTaps = kernels::kDepthwiseKernel * kernels::kDepthwiseKernel;
  const size_t count = unsigned_of(channels);
  check_arg(weight.size() == kTaps * count,
            "[depthwise_conv] weight must have {} elements (channels {} x 7 x 7), got {}",
            kTaps * count, count, weight.size());
  check_arg(bias.size() == count, "[depthwise_conv] bias must have {} elements (channels), got {}",
            count, bias.size());
  const size_t blocks = kernels::depthwise_blocks(count);
  taps_ = Buffer(blocks * kernels::kDepthwiseTaps);
  bias_ = Buffer(blocks * kernels::kDepthwiseBlock);
  kernels::pack_depthwise(weight.data(), bias.data(), count, taps_.data(), bias_.data());
}

namespace {

// Each channel of x as many times as out has channels for it.
void repeat_channels(const Context& context, const Images& x, const Images& out) {
  const int64_t times = out.channels() / x.channels();
  for_rows(context, x.pixels.rows, out.channels(), [&](int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row) {
      const float* from = x.pixels.row(row);
      float* to = out.pixels.row(row);
      for (int64_t c = 0; c < x.channels(); ++c) to = std::fill_n(to, times, from[c]);
    }
  });
}

// Every stride-th pixel of every stride-th row.
void keep_pixels(const Context& context, const Images& x, int64_t stride, const Images& out) {
  for_rows(context, out.pixels.rows, out.channels(), [&](int64_t begin, int64_t count) {
    for (int64_t row = begin; row < begin + count; ++row) {
      const int64_t column = row % out.width, y = row / out.width % out.height;
      const int64_t image = row / out.width / out.height;
      const float* from = x.pixels.row((image * x.height + y * stride) * x.width + column * stride);
      std::copy_n(from, out.channels(), out.pixels.row(row));
    }
  });
}

// Stride 1, as many channels as weights.
void depthwise_conv_of(const Context& context, Workspace& workspace, const Images& x,
                       const DepthwiseWeights& weights, const Images& out) {
  const size_t height = unsigned_of(x.height), width = unsigned_of(x.width);
  const size_t blocks = kernels::depthwise_blocks(unsigned_of(x.channels()));
  const size_t threads = unsigned_of(context.threads());
  // Each block of channels of each image is a unit; where they are fewer than the threads, their
  // rows are shared out too, at the cost of reading six rows twice for each cut.
  const size_t units = unsigned_of(x.count) * blocks;
  const size_t cuts = units == 0 ? 1 : std::clamp<size_t>(threads / units, 1, height / 7 + 1);
  const size_t floats = kernels::depthwise_scratch_floats(width);
  const Workspace::Frame frame(workspace);
  float* scratch = workspace.take_floats(static_cast<int64_t>(floats * threads));
  parallel_for(context.threads(), units * cuts, 1, [&](size_t begin, size_t end, int worker) {
    for (size_t i = begin; i < end; ++i) {
      const size_t block = i / cuts % blocks, cut = i % cuts;
      const auto first = static_cast<int64_t>(i / cuts / blocks) * x.height * x.width;
      kernels::depthwise_conv({x.pixels.row(first), height, width, unsigned_of(x.channels()),
                               weights.taps(), weights.bias()},
                              {block, block + 1, height * cut / cuts, height * (cut + 1) / cuts},
                              scratch + unsigned_of(worker) * floats, out.pixels.row(first));
    }
  });
}

}  // namespace

void depthwise_conv(const Context& context, Workspace& workspace, const Images& x,
                    const DepthwiseWeights& weights, const Images& out, int64_t stride) {
  const int64_t channels = weights.channels();
  check_arg(stride > 0, "[depthwise_conv] stride must be above 0, got {}", stride);
  check_arg(
      x.channels() > 0 && channels % x.channels() == 0,
      "[depthwise_conv] x must have {} channels (as the weights) or a fraction of them, got {}",
      channels, x.channels());
  check_images("depthwise_conv", x, x.height, x.width, x.channels());
  check_images("depthwise_conv", out, (x.height + stride - 1) / stride,
               (x.width + stride - 1) / stride, channels);
  check_arg(out.count == x.count && out.pixels.data != x.pixels.data,
            "[depthwise_conv] out must hold {} images (as x) in another place, got {}", x.count,
            out.count);
  const Workspace::Frame frame(workspace);
  const auto full_size = [&] {
    return Images{workspace.take(x.pixels.rows, channels), x.count, x.height, x.width};
  };
  Images from = x;
  if (channels != x.channels()) {
    from = full_size();
    repeat_channels(context, x, from);
  }
  if (stride == 1) return depthwise_conv_of(context, workspace, from, weights, out);
  const Images all = full_size();
  depthwise_conv_of(context, workspace, from, weights, all);
  keep_pixels(context, all, stride, out);
}

void average_pool(const Context& context, const Images& x, int64_t window, const Images& out) {
  check_arg(window > 0, "[average_pool] window must be above 0, got {}", window);
  check_images("average_pool", x, x.height, x.width, x.channels());
  check_images("average_pool", out, x.height / window, x.width / window, x.channels());
  check_arg(out.count == x.count, "[average_pool] out must hold {} images (as x), got {}", x.count,
            out.count);
  parallel_for(context.threads(), unsigned_of(x.count), 1, [&](size_t begin, size_t end, int) {
    for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i)
      kernels::average_pool(x.pixels.row(i * x.height * x.width), unsigned_of(x.height),
                            unsigned_of(x.width), unsigned_of(x.channels()), unsigned_of(window),
                            out.pixels.row(i * out.height * out.width));
  });
}

void channels_last(const Context& context, const float* x, const Images& out) {
  check_images("channels_last", out, out.height, out.width, out.channels());
  const int64_t area = out.height * out.width;
  parallel_for(context.threads(), unsigned_of(out.count), 1, [&](size_t begin, size_t end, int) {
    for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i)
      kernels::channels_last(x + i * area * out.channels(), unsigned_of(out.channels()),
                             unsigned_of(area), out.pixels.row(i * area));
  });
}

}  // namespace openclip
