// Rotary positions of a grid of patches. Part of rank 4.
#pragma once

#include <cstdint>

#include "base/context.h"
#include "models/config/eva.h"
#include "tensor/tensor.h"

namespace openclip {

/// cos and sin of the angle of each pair of a head's channels: [grid * grid, head_dim / 2].
/// Source: timm layers/pos_embed_sincos.py, build_rotary_pos_embed (in_pixels=False).
struct RopeTable {
  Tensor cosine, sine;
  RopeTable(const RopeConfig& config, int64_t grid, int64_t head_dim);

  /// Turns each head of the rows of x [images * tokens, heads * head_dim] but for the first
  /// `prefix` of an image: (a, b) becomes (a cos - b sin, b cos + a sin).
  void apply(const Context& context, int64_t tokens, int64_t prefix, Matrix x) const;
};

}  // namespace openclip
