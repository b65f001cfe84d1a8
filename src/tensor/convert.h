// Stored weights to f32. Rank 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/context.h"
#include "base/dtype.h"

namespace openclip {

/// Converts little-endian f32, f16, bf16 or f64 bytes of any alignment to `to`.
/// Throws: Unsupported for other types, InvalidArgument if the byte count does not fit.
void to_float(const Context& context, DType dtype, std::span<const uint8_t> bytes,
              std::span<float> to);

/// to[i, j] = q[i, j] * scales[i], [rows, columns]: a matrix of bytes as f32.
void dequantise_rows(const int8_t* q, const float* scales, size_t rows, size_t columns, float* to);

}  // namespace openclip
