#include "tensor/linear.h"

#include <algorithm>

#include "base/parallel.h"

namespace openclip {

Linear::Linear(const Context& context, std::span<const float> weight, std::span<const float> bias,
               int64_t in, int64_t out, Layout layout)
    : in_(in), out_(out) {
  const auto k = static_cast<size_t>(in), n = static_cast<size_t>(out);
  check_arg(weight.size() == k * n,
            "[linear] weight must have {} elements (in {} x out {}), got {}", k * n, k, n,
            weight.size());
  check_arg(bias.empty() || bias.size() == n, "[linear] bias must have {} elements (out), got {}",
            n, bias.size());
  panels_ = Buffer(kernels::packed_floats(k, n));
  const size_t width = kernels::panel_width();
  const size_t panels = (n + width - 1) / width;
  parallel_for(context.threads(), panels, 1, [&](size_t begin, size_t end, int) {
    kernels::pack_panels(weight.data(), layout == Layout::out_in, k, n, begin, end, panels_.data());
  });
  if (bias.empty()) return;
  bias_ = Buffer(panels * width);
  std::fill(bias_.data(), bias_.data() + bias_.size(), 0.0f);
  std::copy(bias.begin(), bias.end(), bias_.data());
}

kernels::PackedMatrix Linear::packed() const {
  return {panels_.data(), bias_.data(), static_cast<size_t>(in_), static_cast<size_t>(out_)};
}

void linear(const Context& context, const kernels::RowSource& x, const Linear& weights, Matrix out,
            const LinearOptions& options) {
  const ConstMatrix& residual = options.residual;
  check_arg(out.cols == weights.out(), "[linear] out must have {} columns (out of weight), got {}",
            weights.out(), out.shape_str());
  check_arg(residual.data == nullptr || (residual.rows == out.rows && residual.cols == out.cols),
            "[linear] residual must be {} (as out), got {}", out.shape_str(), residual.shape_str());
  kernels::MatmulOutput to;
  to.out = out.data;
  to.stride = static_cast<size_t>(out.stride);
  to.residual = residual.data;
  to.residual_stride = static_cast<size_t>(residual.stride);
  to.op = options.op;
  kernels::matmul(context.threads(), static_cast<size_t>(out.rows), x, weights.packed(), to);
}

void linear(const Context& context, ConstMatrix x, const Linear& weights, Matrix out,
            const LinearOptions& options) {
  check_arg(x.cols == weights.in(), "[linear] x must have {} columns (in of weight), got {}",
            weights.in(), x.shape_str());
  check_arg(x.rows == out.rows, "[linear] out must have {} rows (as x), got {}", x.rows,
            out.shape_str());
  linear(context, kernels::MatrixRows(x.data, static_cast<size_t>(x.stride)), weights, out,
         options);
}

}  // namespace openclip
