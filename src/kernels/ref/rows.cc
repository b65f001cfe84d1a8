#include <algorithm>
#include <cmath>

#include "kernels/ref/ref.h"

namespace openclip::kernels::ref {

double unary(UnaryOp op, double x) {
  switch (op) {
    case UnaryOp::identity:
      return x;
    case UnaryOp::relu:
      return std::max(x, 0.0);
    case UnaryOp::gelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case UnaryOp::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case UnaryOp::quick_gelu:
      return x / (1 + std::exp(-1.702 * x));
  }
  return x;
}

void layer_norm(Rows<const float> x, const float* weight, const float* bias, double eps,
                Rows<float> out) {
  const double width = static_cast<double>(x.width);
  for (size_t row = 0; row < x.count; ++row) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < x.width; ++i) mean += x.row(row)[i] / width;
    for (size_t i = 0; i < x.width; ++i) variance += std::pow(x.row(row)[i] - mean, 2) / width;
    for (size_t i = 0; i < x.width; ++i)
      out.row(row)[i] = static_cast<float>(
          (x.row(row)[i] - mean) / std::sqrt(variance + eps) * weight[i] + bias[i]);
  }
}

void softmax_inplace(Rows<float> x) {
  for (size_t row = 0; row < x.count; ++row) {
    float* data = x.row(row);
    const double max = x.width == 0 ? 0 : *std::max_element(data, data + x.width);
    double sum = 0;
    for (size_t i = 0; i < x.width; ++i) sum += std::exp(data[i] - max);
    for (size_t i = 0; i < x.width; ++i)
      data[i] = static_cast<float>(std::exp(data[i] - max) / sum);
  }
}

void l2_normalise_inplace(Rows<float> x) {
  for (size_t row = 0; row < x.count; ++row) {
    double squares = 0;
    for (size_t i = 0; i < x.width; ++i) squares += std::pow(x.row(row)[i], 2);
    const double length = std::max(std::sqrt(squares), 1e-12);
    for (size_t i = 0; i < x.width; ++i) x.row(row)[i] = static_cast<float>(x.row(row)[i] / length);
  }
}

}  // namespace openclip::kernels::ref
