// 3x3 convolutions, padding 1 and stride 1, by Winograd's F(2 x 2, 3 x 3). Rank 1.
//
// A tile of 2 x 2 outputs sees 4 x 4 inputs d: Y = A^T ((G g G^T) * (B^T d B)) A, where *
// multiplies the 16 parts one by one. Over channels each part is a matrix product, so 16 products
// of [tiles, in] with [in, out] take the place of one of [4 tiles, 9 in] with [9 in, out]: 2.25
// times less work. Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015.
#pragma once

#include <cstddef>

#include "kernels/unary.h"

namespace openclip::kernels {

inline constexpr size_t kWinogradParts = 16;

/// Channels-last images and the tiles of 2 x 2 that cover them, numbered (image, y, x); those at
/// the right and lower edge may be cut.
struct WinogradMap {
  size_t height = 0, width = 0, channels = 0;

  size_t tiles_y() const { return (height + 1) / 2; }
  size_t tiles_x() const { return (width + 1) / 2; }
};

/// u [16] = G g G^T of one kernel g [3, 3], computed in f64.
void winograd_weights(const double* g, float* u);

/// Part p of B^T d B of tile t, channels floats, to v[p * part_stride + (t - begin) * channels] for
/// tiles [begin, end) of x [count, height, width, channels]; zeros outside of the images.
void winograd_input(const float* x, const WinogradMap& map, size_t begin, size_t end, float* v,
                    size_t part_stride);

/// op(A^T M A + bias) of tiles [begin, end), M as winograd_input() lays out its parts, to out
/// [count, height, width, channels].
void winograd_output(const float* m, size_t part_stride, const WinogradMap& map, size_t begin,
                     size_t end, const float* bias, UnaryOp op, float* out);

}  // namespace openclip::kernels
