// 16-bit floats to f32, for weights as they are stored. Rank 1.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openclip::kernels {

/// IEEE binary16 to f32, exact. from: `count` little-endian values, any alignment.
void f16_to_f32(const uint8_t* from, size_t count, float* to);

/// bfloat16 to f32, exact.
void bf16_to_f32(const uint8_t* from, size_t count, float* to);

}  // namespace openclip::kernels
