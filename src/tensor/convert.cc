#include "tensor/convert.h"

#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/half.h"

namespace openclip {
namespace {

// Rounds to nearest, as torch's Tensor.float() does. Rare enough to stay plain.
void f64_to_f32(const uint8_t* from, size_t count, float* to) {
  for (size_t i = 0; i < count; ++i) {
    double value;
    std::memcpy(&value, from + i * sizeof value, sizeof value);
    to[i] = static_cast<float>(value);
  }
}

}  // namespace

void to_float(const Context& context, DType dtype, std::span<const uint8_t> bytes,
              std::span<float> to) {
  if (!dtype_is_float(dtype))
    throw Unsupported(
        fmt::format("[to_float] weights of type {} are not supported (f32, f16, bf16, f64)",
                    dtype_name(dtype)));
  const size_t size = dtype_size(dtype);
  check_arg(bytes.size() == to.size() * size, "[to_float] {} elements of {} need {} bytes, got {}",
            to.size(), dtype_name(dtype), to.size() * size, bytes.size());
  constexpr size_t kGrain = 1 << 18;  // elements; below, a copy is over before a thread wakes
  parallel_for(context.threads(), to.size(), kGrain, [&](size_t begin, size_t end, int) {
    const uint8_t* from = bytes.data() + begin * size;
    float* out = to.data() + begin;
    if (dtype == DType::f32)
      std::memcpy(out, from, (end - begin) * size);
    else if (dtype == DType::f64)
      f64_to_f32(from, end - begin, out);
    else if (dtype == DType::f16)
      kernels::f16_to_f32(from, end - begin, out);
    else
      kernels::bf16_to_f32(from, end - begin, out);
  });
}

void dequantise_rows(const int8_t* q, const float* scales, size_t rows, size_t columns, float* to) {
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = row * columns; i < (row + 1) * columns; ++i) to[i] = q[i] * scales[row];
}

}  // namespace openclip
