// Convolutions whose branches and BatchNorms become one at loading. Part of rank 4.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/towers/weights.h"
#include "tensor/conv.h"
#include "tensor/winograd.h"

namespace openclip {

/// The sum of square convolutions of one input, each with the BatchNorm after it folded in: with
/// s = weight / sqrt(running_var + eps), W becomes W s and the bias bias - running_mean s. Smaller
/// kernels lie in the middle of the largest, which with padding kernel / 2 is the same. Source:
/// timm fastvit.py, MobileOneBlock.reparameterize; sums are made in f64.
class FoldedConv {
 public:
  /// A BatchNorm as x * scale + shift.
  struct Norm {
    std::vector<double> scale, shift;
  };
  static Norm batch_norm(const Context& context, const Weights& weights, const std::string& name);

  /// [out, in, kernel, kernel], all 0; in: the inputs of each output, 1 of a depthwise convolution.
  FoldedConv(const Context& context, const Weights& weights, int64_t out, int64_t in,
             int64_t kernel);
  /// As large as `conv`.weight.
  FoldedConv(const Context& context, const Weights& weights, const std::string& conv);

  /// Adds `conv`.weight and the BatchNorm `norm` after it.
  FoldedConv& add(const std::string& conv, const std::string& norm);
  /// Adds `conv`.weight and `conv`.bias.
  FoldedConv& add(const std::string& conv);
  /// Adds the BatchNorm `norm` of the input itself (as many outputs as inputs), times `factor`.
  FoldedConv& add_identity(const std::string& norm, double factor = 1);
  /// Multiplies all there is so far by the factor of each output.
  FoldedConv& scale(std::span<const float> factors);
  /// Adds the input itself.
  FoldedConv& add_input();

  /// For conv2d(): rows in the order (y, x, input).
  Linear linear(Precision precision = Precision::f32) const;
  /// For winograd_conv(); of kernels of 3.
  WinogradWeights winograd() const;
  /// For depthwise_conv(), whose kernel is 7 wide.
  DepthwiseWeights depthwise() const;

 private:
  void add(const std::string& conv, const Norm& norm);
  double& centre(int64_t output);

  const Context& context_;
  const Weights& weights_;
  int64_t out_, in_, kernel_;
  std::vector<double> weight_, bias_;
};

}  // namespace openclip
