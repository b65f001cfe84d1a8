// Matrix products by Strassen's algorithm; see MatmulWay. Part of rank 1.
#pragma once

#include <cstddef>
#include <span>

#include "kernels/matmul.h"

namespace openclip::kernels {

/// Whether the product can be made so, and takes less time than in order.
bool strassen_pays(size_t m, std::span<const MatmulTarget> targets);

/// As matmul(), of a product for which that holds.
void strassen_matmul(int threads, size_t m, const RowSource& a,
                     std::span<const MatmulTarget> targets);

}  // namespace openclip::kernels
