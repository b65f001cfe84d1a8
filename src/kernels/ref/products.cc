#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/ref/ref.h"

namespace openclip::kernels::ref {

void matmul(const Product& p, float* out) {
  for (size_t i = 0; i < p.m; ++i) {
    for (size_t j = 0; j < p.n; ++j) {
      double sum = p.bias == nullptr ? 0 : p.bias[j];
      if (p.residual != nullptr) sum += p.residual[i * p.n + j];
      for (size_t k = 0; k < p.k; ++k)
        sum += static_cast<double>(p.a[i * p.k + k]) * p.w[j * p.k + k];
      out[i * p.n + j] = static_cast<float>(unary(p.op, sum));
    }
  }
}

namespace {

// One query of one head.
void attend(const AttentionShape& shape, const AttentionRows& rows, const AttentionSpan& span,
            size_t head, size_t query) {
  const size_t column = head * shape.head_dim;
  const size_t keys = shape.causal ? span.key_count - span.query_count + query + 1 : span.key_count;
  const float* q = rows.q.row(span.query_begin + query) + column;
  std::vector<double> scores(keys);
  for (size_t j = 0; j < keys; ++j) {
    for (size_t d = 0; d < shape.head_dim; ++d)
      scores[j] += static_cast<double>(q[d]) * rows.k.row(span.key_begin + j)[column + d];
    scores[j] *= shape.scale;
  }
  const double max = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - max);
  for (size_t d = 0; d < shape.head_dim; ++d) {
    double value = 0;
    for (size_t j = 0; j < keys; ++j)
      value += scores[j] / sum * rows.v.row(span.key_begin + j)[column + d];
    rows.out.row(span.query_begin + query)[column + d] = static_cast<float>(value);
  }
}

}  // namespace

void attention(const AttentionShape& shape, const AttentionRows& rows, const AttentionSpan* spans,
               size_t span_count) {
  for (size_t s = 0; s < span_count; ++s)
    for (size_t head = 0; head < shape.heads; ++head)
      for (size_t query = 0; query < spans[s].query_count; ++query)
        attend(shape, rows, spans[s], head, query);
}

void conv(const float* x, size_t count, const ConvShape& s, const float* w, size_t out_channels,
          float* out) {
  const auto pixel = [&](size_t image, size_t y, size_t x_pos, size_t c) -> double {
    if (y >= s.height || x_pos >= s.width) return 0;  // also what wrapped below zero
    return x[((image * s.height + y) * s.width + x_pos) * s.channels + c];
  };
  for (size_t image = 0; image < count; ++image) {
    for (size_t i = 0; i < s.out_height() * s.out_width(); ++i) {
      const size_t top = i / s.out_width() * s.stride - s.padding;
      const size_t left = i % s.out_width() * s.stride - s.padding;
      for (size_t o = 0; o < out_channels; ++o, ++out) {
        double sum = 0;
        const float* weight = w + o * s.k();
        for (size_t ky = 0; ky < s.kernel; ++ky)
          for (size_t kx = 0; kx < s.kernel; ++kx)
            for (size_t c = 0; c < s.channels; ++c)
              sum += *weight++ * pixel(image, top + ky, left + kx, c);
        *out = static_cast<float>(sum);
      }
    }
  }
}

void depthwise_conv(const Depthwise& image, float* out) {
  constexpr size_t kPad = kDepthwiseKernel / 2;
  for (size_t i = 0; i < image.height * image.width * image.channels; ++i) {
    const size_t c = i % image.channels;
    const size_t left = i / image.channels % image.width - kPad;
    const size_t top = i / image.channels / image.width - kPad;
    double sum = image.bias[c];
    for (size_t tap = 0; tap < kDepthwiseKernel * kDepthwiseKernel; ++tap) {
      const size_t y = top + tap / kDepthwiseKernel, x = left + tap % kDepthwiseKernel;
      if (y >= image.height || x >= image.width) continue;  // also what wrapped below zero
      sum += static_cast<double>(image.x[(y * image.width + x) * image.channels + c]) *
             image.weights[c * kDepthwiseKernel * kDepthwiseKernel + tap];
    }
    out[i] = static_cast<float>(sum);
  }
}

}  // namespace openclip::kernels::ref
