// The share of a matrix product that one thread does; apart from matmul.cc because that file is
// compiled once per instruction set and this type must be one. Rank 1.
#pragma once

#include <cstddef>

namespace openclip::kernels {

/// Rows [row_begin, row_end) times panels [panel_begin, panel_end).
struct MatmulPart {
  size_t row_begin, row_end, panel_begin, panel_end;
};

}  // namespace openclip::kernels
