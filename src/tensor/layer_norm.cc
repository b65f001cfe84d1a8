#include "tensor/layer_norm.h"

#include "tensor/split.h"

namespace openclip {

void layer_norm(const Context& context, ConstMatrix x, std::span<const float> weight,
                std::span<const float> bias, float eps, Matrix out) {
  const auto width = static_cast<size_t>(x.cols);
  check_arg(weight.size() == width,
            "[layer_norm] weight must have {} elements (last dim of x), got [{}]", width,
            weight.size());
  check_arg(bias.size() == width,
            "[layer_norm] bias must have {} elements (last dim of x), got [{}]", width,
            bias.size());
  check_arg(out.rows == x.rows && out.cols == x.cols, "[layer_norm] out must be {} (as x), got {}",
            x.shape_str(), out.shape_str());
  if (width == 0) return;
  for_rows(context, x.rows, x.cols, [&](int64_t begin, int64_t count) {
    kernels::layer_norm(x.row_range(begin, count), weight.data(), bias.data(), eps,
                        out.row_range(begin, count));
  });
}

}  // namespace openclip
