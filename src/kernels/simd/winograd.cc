#include "kernels/winograd.h"

#include <algorithm>

#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/winograd.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/columns-inl.h"
#include "kernels/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

// Where tile `index` has its first output.
struct TilePlace {
  size_t image, y, x;
};
HWY_INLINE TilePlace tile_place(const WinogradMap& map, size_t index) {
  const size_t row = index / map.tiles_x();
  return {row / map.tiles_y(), row % map.tiles_y() * 2, index % map.tiles_x() * 2};
}

// B^T d B of one tile; a null pixel is 0.
template <bool kInside>
HWY_INLINE void transform_input(const float* const* pixels, size_t channels, float* v,
                                size_t part_stride) {
  for_columns(channels, [&](auto columns) HWY_ATTR {
    using V = decltype(columns.load(v));
    V rows[4][4];  // B^T d
    for (size_t j = 0; j < 4; ++j) {
      V d[4];
      for (size_t i = 0; i < 4; ++i) {
        const float* pixel = pixels[4 * i + j];
        d[i] = kInside || pixel != nullptr ? columns.load(pixel) : hn::Zero(columns.d);
      }
      rows[0][j] = hn::Sub(d[0], d[2]);
      rows[1][j] = hn::Add(d[1], d[2]);
      rows[2][j] = hn::Sub(d[2], d[1]);
      rows[3][j] = hn::Sub(d[1], d[3]);
    }
    for (size_t i = 0; i < 4; ++i) {
      const V(&r)[4] = rows[i];
      float* to = v + 4 * i * part_stride;
      columns.store(hn::Sub(r[0], r[2]), to);
      columns.store(hn::Add(r[1], r[2]), to + part_stride);
      columns.store(hn::Sub(r[2], r[1]), to + 2 * part_stride);
      columns.store(hn::Sub(r[1], r[3]), to + 3 * part_stride);
    }
  });
}

void input(const float* x, const WinogradMap& map, size_t begin, size_t end, float* v,
           size_t part_stride) {
  for (size_t tile = begin; tile < end; ++tile, v += map.channels) {
    const TilePlace place = tile_place(map, tile);
    const float* image = x + place.image * map.height * map.width * map.channels;
    const float* pixels[16];
    bool inside = true;
    for (size_t i = 0; i < 4; ++i)
      for (size_t j = 0; j < 4; ++j) {
        const size_t row = place.y + i - 1, column = place.x + j - 1;  // of -1: beyond any size
        const bool exists = row < map.height && column < map.width;
        pixels[4 * i + j] = exists ? image + (row * map.width + column) * map.channels : nullptr;
        inside = inside && exists;
      }
    if (inside)
      transform_input<true>(pixels, map.channels, v, part_stride);
    else
      transform_input<false>(pixels, map.channels, v, part_stride);
  }
}

template <bool kRelu>
HWY_INLINE void transform_output(const float* m, size_t part_stride, size_t channels,
                                 const float* bias, float* const* pixels) {
  for_columns(channels, [&](auto columns) HWY_ATTR {
    using V = decltype(columns.load(m));
    V rows[2][4];  // A^T M
    for (size_t j = 0; j < 4; ++j) {
      V part[4];
      for (size_t i = 0; i < 4; ++i) part[i] = columns.load(m + (4 * i + j) * part_stride);
      rows[0][j] = hn::Add(hn::Add(part[0], part[1]), part[2]);
      rows[1][j] = hn::Sub(hn::Sub(part[1], part[2]), part[3]);
    }
    const V shift = columns.load(bias);
    for (size_t i = 0; i < 2; ++i) {
      const V(&r)[4] = rows[i];
      V left = hn::Add(hn::Add(hn::Add(r[0], r[1]), r[2]), shift);
      V right = hn::Add(hn::Sub(hn::Sub(r[1], r[2]), r[3]), shift);
      if constexpr (kRelu) {
        left = hn::Max(left, hn::Zero(columns.d));
        right = hn::Max(right, hn::Zero(columns.d));
      }
      if (pixels[2 * i] != nullptr) columns.store(left, pixels[2 * i]);
      if (pixels[2 * i + 1] != nullptr) columns.store(right, pixels[2 * i + 1]);
    }
  });
}

void output(const float* m, size_t part_stride, const WinogradMap& map, size_t begin, size_t end,
            const float* bias, UnaryOp op, float* out) {
  const size_t channels = map.channels;
  for (size_t tile = begin; tile < end; ++tile, m += channels) {
    const TilePlace place = tile_place(map, tile);
    const size_t rows = std::min<size_t>(2, map.height - place.y);
    const size_t cols = std::min<size_t>(2, map.width - place.x);
    const size_t first = (place.image * map.height + place.y) * map.width + place.x;
    float* pixels[4] = {};
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < cols; ++j)
        pixels[2 * i + j] = out + (first + i * map.width + j) * channels;
    if (op == UnaryOp::relu) {
      transform_output<true>(m, part_stride, channels, bias, pixels);
    } else {
      transform_output<false>(m, part_stride, channels, bias, pixels);
      unary_run(op, pixels[0], map.width * channels, rows, cols * channels);
    }
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(input);
HWY_EXPORT(output);
}  // namespace

void winograd_weights(const double* g, float* u) {
  // Rows of G: (1, 0, 0), (1/2, 1/2, 1/2), (1/2, -1/2, 1/2), (0, 0, 1).
  const auto apply = [](double a, double b, double c, double* to, size_t step) {
    to[0] = a;
    to[step] = (a + b + c) / 2;
    to[2 * step] = (a - b + c) / 2;
    to[3 * step] = c;
  };
  double rows[4][3], all[4][4];
  for (size_t j = 0; j < 3; ++j) apply(g[j], g[3 + j], g[6 + j], &rows[0][j], 3);
  for (size_t i = 0; i < 4; ++i) apply(rows[i][0], rows[i][1], rows[i][2], all[i], 1);
  for (size_t i = 0; i < kWinogradParts; ++i) u[i] = static_cast<float>(all[i / 4][i % 4]);
}

void winograd_input(const float* x, const WinogradMap& map, size_t begin, size_t end, float* v,
                    size_t part_stride) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(input)(x, map, begin, end, v, part_stride);
}

void winograd_output(const float* m, size_t part_stride, const WinogradMap& map, size_t begin,
                     size_t end, const float* bias, UnaryOp op, float* out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(output)(m, part_stride, map, begin, end, bias, op, out);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
