// The shares of a product by Strassen's algorithm that one thread does; apart from strassen.cc
// because that file is compiled once per instruction set. Rank 1.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/matmul.h"

namespace openclip::kernels {

/// Whether products with B can be made so: floats that are packed, of whole halves and panel pairs.
bool strassen_fits(const PackedMatrix& b);

/// Rows that are multiplied together, and how many of these groups a block of A holds.
size_t strassen_group_rows();
size_t strassen_block_groups(size_t k);

/// Floats of a block of A, and what is summed up beside it: the memory of one thread.
size_t strassen_block_floats(size_t k);

/// Pairs of panels, and the floats of the factors that products need of each.
size_t strassen_pairs(const PackedMatrix& b);
size_t strassen_pair_floats(const PackedMatrix& b);

/// These factors, which are sums of quarters of B, for pairs [begin, end). factors: the place of
/// all pairs of B, 64-byte aligned.
void strassen_fill_pairs(const PackedMatrix& b, size_t begin, size_t end, float* factors);

/// Groups [group_begin, group_end) of the m rows of A times all of the targets; factors: of each
/// target one after the other; block: 64-byte aligned.
void strassen_groups(const RowSource& a, size_t m, std::span<const MatmulTarget> targets,
                     const float* factors, size_t group_begin, size_t group_end, float* block);

}  // namespace openclip::kernels
