// Positional embeddings for another number of positions than a checkpoint has. Part of rank 4.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace openclip {

/// Positions of a grid of `rows` x `cols` patches from those of a square grid.
/// positions: [prefix + old * old, width] (leading dimensions of 1 may precede); the first `prefix`
/// rows (class token) are kept. Each output is a weighted mean of its neighbours, with Keys' cubic
/// (a = -0.5) over 2 rows to either side, stretched by old / new where an axis shrinks; weights
/// beyond the border are left out and the others normalised.
/// Returns the same rank as `positions`. Throws: InvalidArgument if the rows are no square.
/// Source: torch.nn.functional.interpolate(mode="bicubic", antialias=True), as called by open_clip
/// model.py resize_pos_embed and timm resample_abs_pos_embed.
Tensor resize_grid_positions(const Tensor& positions, int64_t prefix, int64_t rows, int64_t cols);
inline Tensor resize_grid_positions(const Tensor& positions, int64_t prefix, int64_t grid) {
  return resize_grid_positions(positions, prefix, grid, grid);
}

/// Positions of a text of `length` tokens from [old, width]: linear between the two nearest, token
/// i lying at (i + 0.5) old / length - 0.5, not below 0. No filter is applied when shrinking.
/// Source: torch.nn.functional.interpolate(mode="linear", align_corners=False), as called by
/// open_clip model.py resize_text_pos_embed.
Tensor resize_text_positions(const Tensor& positions, int64_t length);

/// Root of a square number; -1 for other numbers.
int64_t square_root(int64_t number);

}  // namespace openclip
