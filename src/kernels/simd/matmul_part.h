// The share of a matrix product that one thread does; apart from matmul.cc because that file is
// compiled once per instruction set and these types must be one. Rank 1.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/matmul.h"

namespace openclip::kernels {

/// Rows [row_begin, row_end) times panels [panel_begin, panel_end) of all targets, one after the
/// other.
struct MatmulPart {
  size_t row_begin, row_end, panel_begin, panel_end;
};

/// All rows of A in the form that the tile multiplies, filled by all threads for all of them:
/// where threads share out the panels, each would else make the same copy.
struct LeftCopy {
  float* units;         // rows * LeftSize::units
  float *scale, *zero;  // of bytes only, [k blocks, rows]
  size_t rows;
};

/// What a row of a LeftCopy takes.
struct LeftSize {
  size_t units;     // floats
  size_t k_blocks;  // scales, and zero points
};
LeftSize left_size(PanelType type, size_t k);

/// Tiles of the rows of a part: steps in which fill_left() makes their copy.
size_t left_tiles(PanelType type, size_t k, const MatmulPart& part);

/// Fills in tile number `tile` of part's rows, for products with k numbers to a row.
void fill_left(const RowSource& a, PanelType type, size_t k, const MatmulPart& part, size_t tile,
               const LeftCopy& left);

/// Computes one part. left: the copy of all rows, or null: the part copies its own, block by block.
/// The rows must be all those of a part that fill_left() was called for.
void multiply_part(const RowSource& a, std::span<const MatmulTarget> targets,
                   const MatmulPart& part, const LeftCopy* left);

/// Rows of a tile.
size_t matmul_tile_rows();

/// Tiles of the largest block of rows that a part works in.
size_t matmul_block_tiles(PanelType type, size_t k);

}  // namespace openclip::kernels
