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

// One block of a row, quantised: x = scale * (q - zero).
struct QuantisedRow {
  std::vector<int> q;
  float scale = 0;
  int zero = 0;
};

QuantisedRow quantise(const float* x, size_t count, int steps) {
  float low = 0, high = 0;
  for (size_t i = 0; i < count; ++i) low = std::min(low, x[i]), high = std::max(high, x[i]);
  const float range = high - low;
  const float factor = range > 0 ? static_cast<float>(steps) / range : 0.0f;
  QuantisedRow row{std::vector<int>(count), range / static_cast<float>(steps),
                   static_cast<int>(std::nearbyint(-low * factor))};
  for (size_t i = 0; i < count; ++i)
    row.q[i] = std::clamp(static_cast<int>(std::nearbyint(x[i] * factor)) + row.zero, 0, steps);
  return row;
}

}  // namespace

void quantised_matmul(const QuantisedProduct& p, float* out) {
  const size_t units = (p.k + 3) / 4;
  for (size_t i = 0; i < p.m; ++i) {
    std::vector<double> sums(p.n);
    for (size_t block = 0; block < p.blocks; ++block) {
      const size_t begin = units * block / p.blocks * 4;
      const size_t end = std::min(p.k, units * (block + 1) / p.blocks * 4);
      const QuantisedRow row = quantise(p.a + i * p.k + begin, end - begin, p.steps);
      for (size_t j = 0; j < p.n; ++j) {
        int64_t sum = 0;
        for (size_t k = begin; k < end; ++k)
          sum += int64_t{row.q[k - begin] - row.zero} * p.q[j * p.k + k];
        sums[j] += static_cast<double>(sum) * row.scale * p.scales[j];
      }
    }
    for (size_t j = 0; j < p.n; ++j) {
      if (p.bias != nullptr) sums[j] += p.bias[j];
      if (p.residual != nullptr) sums[j] += p.residual[i * p.n + j];
      out[i * p.n + j] = static_cast<float>(unary(p.op, sums[j]));
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
