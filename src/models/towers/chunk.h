// How much the towers take at a time, so that memory does not grow with a batch. Part of rank 4.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/context.h"

namespace openclip {

/// Tokens: rows of about this many keep all cores busy, while one block's activations still fit the
/// caches of current processors (2 K x 3072 floats of the MLP are 25 MB).
inline constexpr int64_t kChunkTokens = 2048;

/// Of texts; Strassen's algorithm makes sums of the weights for each chunk anew.
inline int64_t text_tokens(const Context& context) {
  return context.strassen() ? 2 * kChunkTokens : kChunkTokens;
}

/// The size of parts of `count` that are as equal as can be and at most `most`.
inline int64_t equal_part(int64_t count, int64_t most) {
  const int64_t parts = std::max<int64_t>(1, (count + most - 1) / most);
  return (count + parts - 1) / parts;
}

/// Of pictures, few threads take half of it: their blocks of rows are as long, and 16 pictures of
/// 50 tokens are 3 % faster in int8 than 32 (two threads, Zen 3).
inline int64_t picture_tokens(const Context& context) {
  return std::clamp<int64_t>(256 * context.threads(), kChunkTokens / 2, kChunkTokens);
}

/// Pictures of a convolutional tower: enough that the last stage's products (49 rows for a picture
/// of 224 pixels) run at full speed, while the first stage's maps stay near the last cache (stage 1
/// of an RN50, a quarter of the size, has 77 MB).
inline int64_t pictures_per_chunk(int64_t image_size) {
  constexpr int64_t kPixels = 12 * 224 * 224;
  return std::max<int64_t>(1, kPixels / (image_size * image_size));
}

}  // namespace openclip
