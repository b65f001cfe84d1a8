// Where tiles of a product go: read ahead, through an edge where a part of a tile does not exist,
// and activated. For inclusion under hwy/foreach_target.h.
#if defined(OPENCLIP_KERNELS_SIMD_OUTPUT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_OUTPUT_INL_H_
#undef OPENCLIP_KERNELS_SIMD_OUTPUT_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_OUTPUT_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

#include "kernels/matmul.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The part of the output that a tile makes; no more than a tile has.
struct OutputPlace {
  size_t row, rows, col, cols;
};

// What a tile is added to when its product is done, if anything, and its stride.
struct TileStart {
  const float* data;
  size_t stride;
};
HWY_INLINE TileStart start_of(const Tile& tile) {
  if (tile.accumulate) return {tile.c, tile.c_stride};
  return {tile.residual, tile.residual_stride};
}

// run(tile) where the tile is to be made. tile.accumulate is set.
template <class Run>
HWY_INLINE void run_at(const MatmulOutput& to, const OutputPlace& place, Tile& tile,
                       const Run& run) {
  tile.c = to.out + place.row * to.stride + place.col;
  tile.c_stride = to.stride;
  tile.residual =
      to.residual == nullptr ? nullptr : to.residual + place.row * to.residual_stride + place.col;
  tile.residual_stride = to.residual_stride;
  // Fetched before the tile begins, or its end would wait for it.
  const TileStart start = start_of(tile);
  const TileStart first = start.data == nullptr ? TileStart{tile.c, tile.c_stride} : start;
  for (size_t r = 0; r < place.rows; ++r) hwy::Prefetch(first.data + r * first.stride);
  run(tile);
}

// The same where the tile makes more rows or columns than there are: through a buffer.
template <class Run>
HWY_INLINE void run_at_edge(const MatmulOutput& to, const OutputPlace& place, Tile& tile,
                            const Run& run) {
  const size_t cols = tile_cols();
  HWY_ALIGN float edge[kTallRows * kTileVectors * hn::MaxLanes(FloatTag())] = {};
  run_at(to, place, tile, [&](Tile& whole) HWY_ATTR {
    float* const out = whole.c;
    const TileStart start = start_of(whole);
    if (start.data != nullptr)
      for (size_t r = 0; r < place.rows; ++r)
        std::memcpy(edge + r * cols, start.data + r * start.stride, place.cols * sizeof(float));
    whole.c = edge;
    whole.c_stride = cols;
    if (whole.residual != nullptr) whole.residual = edge;
    whole.residual_stride = cols;
    run(whole);
    for (size_t r = 0; r < place.rows; ++r)
      std::memcpy(out + r * to.stride, edge + r * cols, place.cols * sizeof(float));
  });
}

// A tile's activation comes after the next tile, for it would wait for the end of its own sums.
class LateActivation {
 public:
  // last: whether what is made is complete, of the k-blocks.
  LateActivation(const MatmulOutput& to, bool last)
      : to_(to), active_(last && to.op != UnaryOp::identity) {}

  // Activates what was made before, and keeps `place` for the next call.
  HWY_INLINE void made(const OutputPlace& place) {
    finish();
    done_ = place;
  }
  HWY_INLINE void finish() const {
    if (active_ && done_.rows > 0)
      unary_run(to_.op, to_.out + done_.row * to_.stride + done_.col, to_.stride, done_.rows,
                done_.cols);
  }

 private:
  const MatmulOutput& to_;
  bool active_;
  OutputPlace done_{0, 0, 0, 0};
};

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
