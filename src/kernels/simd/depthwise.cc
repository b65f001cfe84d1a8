// Depthwise 7x7 convolution. A block of channels of the rows that a window covers lies in a compact
// ring of rows, zero-padded: in the image itself pixels are a power of two apart as a rule, and
// fall into few lines of the first cache.
#include "kernels/depthwise.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/depthwise.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using BlockTag = hn::CappedTag<float, kDepthwiseBlock>;

// Output pixels of a run. A pixel of the input is loaded once for each window row and goes into up
// to seven sums; the registers hold these sums, the seven weights of a window row and that pixel.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
inline constexpr size_t kRun = 14;
#else
inline constexpr size_t kRun = 7;
#endif

// A run of one vector of channels.
struct Run {
  const float* const* rows;  // window rows, at the run's first window column
  size_t row_count;
  const float* weights;  // of the first of these rows
  const float* bias;
  float* out;
  size_t out_stride;
};

// Adds input column kColumn to the sums it belongs to: sum p takes it times weight kColumn - p.
// Indices are template arguments, so that sums and weights stay in registers (as in tile-inl.h).
template <size_t kColumn, class V, size_t... kPixel>
HWY_INLINE void add_column(V x, const V* weights, V* sums, std::index_sequence<kPixel...>) {
  (
      [&]() HWY_ATTR {
        if constexpr (kColumn >= kPixel && kColumn - kPixel < kDepthwiseKernel)
          sums[kPixel] = hn::MulAdd(x, weights[kColumn - kPixel], sums[kPixel]);
      }(),
      ...);
}

template <size_t... kColumn, size_t... kPixel, size_t... kTap>
HWY_INLINE void run_pixels_of(const Run& run, std::index_sequence<kColumn...>,
                              std::index_sequence<kPixel...> pixels, std::index_sequence<kTap...>) {
  const BlockTag d;
  using V = hn::Vec<BlockTag>;
  V sums[sizeof...(kPixel)];
  ((sums[kPixel] = hn::LoadU(d, run.bias)), ...);
  const float* HWY_RESTRICT w = run.weights;
  for (size_t row = 0; row < run.row_count; ++row) {
    const float* HWY_RESTRICT x = run.rows[row];
    V weights[kDepthwiseKernel];
    ((weights[kTap] = hn::LoadU(d, w + kTap * kDepthwiseBlock)), ...);
    (add_column<kColumn>(hn::LoadU(d, x + kColumn * kDepthwiseBlock), weights, sums, pixels), ...);
    w += kDepthwiseKernel * kDepthwiseBlock;
  }
  (hn::StoreU(sums[kPixel], d, run.out + kPixel * run.out_stride), ...);
}

template <size_t kPixels>
HWY_NOINLINE void run_pixels(const Run& run) {
  run_pixels_of(run, std::make_index_sequence<kPixels + kDepthwiseKernel - 1>(),
                std::make_index_sequence<kPixels>(), std::make_index_sequence<kDepthwiseKernel>());
}

template <size_t... kIndex>
HWY_INLINE void run_any(size_t pixels, const Run& run, std::index_sequence<kIndex...>) {
  using Function = void (*)(const Run&);
  static constexpr Function kRuns[] = {run_pixels<kIndex + 1>...};
  kRuns[pixels - 1](run);
}

// One row of one block of `count` channels; window_rows point to padded ring rows.
void block_row(const Depthwise& image, const float* const* window_rows, size_t row_count,
               const float* weights, const float* bias, size_t count, float* out) {
  const size_t lanes = hn::Lanes(BlockTag());
  const size_t runs = (image.width + kRun - 1) / kRun;
  HWY_ALIGN float
      edge[kRun * kDepthwiseBlock];  // the last block's missing channels exist only here
  const bool whole = count == kDepthwiseBlock;
  for (size_t i = 0; i < runs; ++i) {
    const size_t begin = image.width * i / runs;  // evenly shared, as tile_begin does
    const size_t pixels = image.width * (i + 1) / runs - begin;
    float* to = out + begin * image.channels;
    for (size_t v = 0; v < count; v += lanes) {
      const float* rows[kDepthwiseKernel];
      for (size_t r = 0; r < row_count; ++r) rows[r] = window_rows[r] + begin * kDepthwiseBlock + v;
      run_any(pixels,
              Run{rows, row_count, weights + v, bias + v, (whole ? to : edge) + v,
                  whole ? image.channels : kDepthwiseBlock},
              std::make_index_sequence<kRun>());
    }
    if (!whole)
      for (size_t p = 0; p < pixels; ++p)
        std::memcpy(to + p * image.channels, edge + p * kDepthwiseBlock, count * sizeof(float));
  }
}

// Row y of the image's block to its place in the ring; padding stays as it is.
void fill_ring_row(const Depthwise& image, size_t y, size_t channel, size_t count, float* ring) {
  const float* from = image.x + y * image.width * image.channels + channel;
  float* to = ring + kDepthwiseKernel / 2 * kDepthwiseBlock;
  for (size_t x = 0; x < image.width; ++x, from += image.channels, to += kDepthwiseBlock) {
    if (count == kDepthwiseBlock)  // of known length: two or four moves
      std::memcpy(to, from, kDepthwiseBlock * sizeof(float));
    else
      std::memcpy(to, from, count * sizeof(float));
  }
}

void convolve(const Depthwise& image, const DepthwisePart& part, float* scratch, float* out) {
  constexpr size_t kPad = kDepthwiseKernel / 2;
  const size_t ring_row = (image.width + kDepthwiseKernel - 1) * kDepthwiseBlock;
  std::fill(scratch, scratch + depthwise_scratch_floats(image.width), 0.0f);
  for (size_t block = part.block_begin; block < part.block_end; ++block) {
    const size_t channel = block * kDepthwiseBlock;
    const size_t count = std::min(kDepthwiseBlock, image.channels - channel);
    const float* weights = image.weights + block * kDepthwiseTaps;
    if (count < kDepthwiseBlock)  // not the channels of the block before
      std::fill(scratch, scratch + depthwise_scratch_floats(image.width), 0.0f);
    size_t filled = part.row_begin < kPad ? 0 : part.row_begin - kPad;
    for (size_t y = part.row_begin; y < part.row_end; ++y) {
      const size_t first = y < kPad ? 0 : y - kPad;  // image rows of the window
      const size_t last = std::min(image.height, y + kPad + 1);
      for (; filled < last; ++filled)
        fill_ring_row(image, filled, channel, count,
                      scratch + filled % kDepthwiseKernel * ring_row);
      const float* rows[kDepthwiseKernel];
      for (size_t r = first; r < last; ++r)
        rows[r - first] = scratch + r % kDepthwiseKernel * ring_row;
      const size_t skipped = first + kPad - y;  // window rows above the image
      block_row(image, rows, last - first, weights + skipped * kDepthwiseKernel * kDepthwiseBlock,
                image.bias + channel, count, out + y * image.width * image.channels + channel);
    }
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(convolve);
}  // namespace

void pack_depthwise(const float* weight, const float* bias, size_t channels, float* packed_weights,
                    float* packed_bias) {
  constexpr size_t kTaps = kDepthwiseKernel * kDepthwiseKernel;
  for (size_t c = 0; c < depthwise_blocks(channels) * kDepthwiseBlock; ++c) {
    float* to = packed_weights + c / kDepthwiseBlock * kDepthwiseTaps + c % kDepthwiseBlock;
    for (size_t tap = 0; tap < kTaps; ++tap)
      to[tap * kDepthwiseBlock] = c < channels ? weight[c * kTaps + tap] : 0.0f;
    packed_bias[c] = c < channels ? bias[c] : 0.0f;
  }
}

void depthwise_conv(const Depthwise& image, const DepthwisePart& part, float* scratch, float* out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(convolve)(image, part, scratch, out);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
