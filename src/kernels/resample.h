// The inner loops of resizing pictures of 8-bit samples with fixed-point weights: integer sums, so
// every instruction set gives the same pixels. Rank 1.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openclip::kernels {

/// Fraction bits of the weights: 32 less 8 of a sample and 2 for the overshoot of bicubic filters.
inline constexpr int kResampleBits = 22;

/// Lanes of the instruction set in use, a multiple of 4: a step of filter_pixels() works on
/// resample_lanes() / 4 input pixels at once.
size_t resample_lanes();

/// Filters of one row: output pixel i is the sum over s < steps and t < lanes / 4 of input pixel
/// first[i] + s * lanes / 4 + t, times weights[(i * steps + s) * lanes + 4 * t + c] in channel c.
struct PixelFilter {
  const uint32_t* first = nullptr;   // [count]
  const int32_t* weights = nullptr;  // [count, steps, lanes]; equal for all c of a t
  size_t count = 0;                  // output pixels
  size_t steps = 0;
};

/// out = clamp((sum + half) >> kResampleBits) for pixels of `channels` (3 or 4) samples. Reads
/// whole steps and up to 16 bytes after them, whose weights are 0: `in` must have that room.
void filter_pixels(const uint8_t* in, size_t channels, const PixelFilter& filter, uint8_t* out);

/// sums[i] += samples[i] * weight.
void add_weighted(const uint8_t* samples, int32_t weight, size_t count, int32_t* sums);

/// out[i] = clamp(sums[i] >> kResampleBits); the half that rounds is in the sums already.
void finish_sums(const int32_t* sums, size_t count, uint8_t* out);

}  // namespace openclip::kernels
