// Stored weights to f32. Rank 2.
#pragma once

#include <cstdint>
#include <span>

#include "base/context.h"
#include "base/dtype.h"

namespace openclip {

/// Converts little-endian f32, f16, bf16 or f64 bytes of any alignment to `to`.
/// Throws: Unsupported for other types, InvalidArgument if the byte count does not fit.
void to_float(const Context& context, DType dtype, std::span<const uint8_t> bytes,
              std::span<float> to);

}  // namespace openclip
