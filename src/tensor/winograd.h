// 3x3 convolution of channels-last images with 2.25 times less work (kernels/winograd.h). Rank 2.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/context.h"
#include "kernels/winograd.h"
#include "tensor/conv.h"
#include "tensor/workspace.h"

namespace openclip {

/// Weights of a 3x3 convolution, transformed and packed once; 16/9 of their size. Immutable,
/// movable.
class WinogradWeights {
 public:
  /// weight: torch's Conv2d.weight, [out, in, 3, 3]; bias [out]. Throws: InvalidArgument for wrong
  /// lengths.
  WinogradWeights(const Context& context, std::span<const double> weight,
                  std::span<const double> bias, int64_t in, int64_t out);

  int64_t in() const { return parts_[0].in(); }
  int64_t out() const { return parts_[0].out(); }
  const Linear& part(size_t i) const { return parts_[i]; }
  const float* bias() const { return bias_.data(); }

 private:
  std::array<Linear, kernels::kWinogradParts> parts_;
  Buffer bias_;
};

/// out = op(conv(x, W) + b), stride 1 and padding 1, f32. Rounding differs from conv2d()'s: the
/// parts of an output are up to four times as large as it. An image's result depends on that image
/// alone and not on the number of threads. Throws: InvalidArgument if weights or out do not fit, or
/// out is x. Source: torch.nn.functional.conv2d.
void winograd_conv(const Context& context, Workspace& workspace, const Images& x,
                   const WinogradWeights& weights, UnaryOp op, const Images& out);

}  // namespace openclip
