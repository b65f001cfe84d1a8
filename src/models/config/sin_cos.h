// Fixed positions of open_clip's pos_embed_type "sin_cos_2d". Part of rank 4, free of tensors.
#pragma once

#include <vector>

namespace openclip {

/// [1 + grid * grid, width]: row 0, the class token's, is zero. Of the others, with w = width / 4
/// and frequencies f_i = 10000^(-i / w): the first half is sin(f_i x) then cos(f_i x) of the column
/// x, the second half the same of the row. width must be a multiple of 4, else InvalidArgument.
/// Source: open_clip pos_embed.py get_2d_sincos_pos_embed.
std::vector<float> sin_cos_positions(int grid, int width);

}  // namespace openclip
