// Scalar oracles of the kernels: the formulas as they stand, summed in double. They are what the
// tests compare every instruction set with; nothing else calls them. Rank 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/depthwise.h"
#include "kernels/images.h"
#include "kernels/rows.h"
#include "kernels/segment_attention.h"
#include "kernels/unary.h"

namespace openclip::kernels::ref {

double unary(UnaryOp op, double x);

void layer_norm(Rows<const float> x, const float* weight, const float* bias, double eps,
                Rows<float> out);
void softmax_inplace(Rows<float> x);
void l2_normalise_inplace(Rows<float> x);

/// Operands of out = op(A W^T + bias + residual): a [m, k], w [n, k], bias [n] or null, residual
/// [m, n] or null, all dense.
struct Product {
  const float *a, *w, *bias, *residual;
  size_t m, n, k;
  UnaryOp op;
};
void matmul(const Product& product, float* out);

/// As matmul() with int8 weights w = q * scale: A is cut into `blocks` along k, whole units of four
/// as far as they go, and each row of a block quantised to [0, steps] as kernels/matmul.h says.
struct QuantisedProduct {
  const float* a;
  const int8_t* q;  // [n, k]
  const float *scales, *bias, *residual;
  size_t m, n, k, blocks;
  int steps;
  UnaryOp op;
};
void quantised_matmul(const QuantisedProduct& product, float* out);

void attention(const AttentionShape& shape, const AttentionRows& rows, const AttentionSpan* spans,
               size_t span_count);

void segment_attention(const AttentionShape& shape, const AttentionRows& rows,
                       const SegmentSpans& spans);

/// Convolution of channels-last images with w [out_channels, ky, kx, channels], without bias.
void conv(const float* x, size_t count, const ConvShape& shape, const float* w, size_t out_channels,
          float* out);

/// Of one image [height, width, channels] (image.x) with torch's weight [channels, 1, 7, 7] and
/// bias (image.weights and image.bias, not packed).
void depthwise_conv(const Depthwise& image, float* out);

}  // namespace openclip::kernels::ref
