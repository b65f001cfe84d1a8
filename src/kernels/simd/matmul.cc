// Packed matrix product: blocking and threads. The tile itself is in tile-inl.h.
#include "kernels/matmul.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/isa.h"
#include "kernels/simd/matmul_part.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/matmul.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/simd/block-inl.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/pack-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

size_t tile_rows() { return kTileRows; }

// One k-block of one A block times one panel.
struct PanelStep {
  const Block& a;
  size_t rows, row_begin;
  size_t unit_begin, units, all_units;
  const float* sums;  // of the columns of this k-block, of bytes only
  bool first, last;   // of the k-blocks
  bool prefetch;      // the panel after this one
};

// Memory to read while a panel is multiplied.
struct Ahead {
  const char* from;
  size_t bytes;
};

// The rows of one tile: those of a whole panel go straight to the output, those of the last one,
// which ends inside a panel, through `edge`.
template <class Dot>
HWY_INLINE void multiply_rows(const MatmulOutput& to, Tile& tile, size_t row, size_t rows,
                              size_t col, size_t count) {
  const size_t cols = tile_cols();
  float* out = to.out + row * to.stride + col;
  const float* residual =
      to.residual == nullptr ? nullptr : to.residual + row * to.residual_stride + col;
  const float* start = tile.accumulate ? out : residual;  // read when the product is done
  const size_t start_stride = tile.accumulate ? to.stride : to.residual_stride;
  if (count == cols) {
    tile.c = out;
    tile.c_stride = to.stride;
    tile.residual = residual;
    tile.residual_stride = to.residual_stride;
    if (start != nullptr)
      for (size_t r = 0; r < rows; ++r) hwy::Prefetch(start + r * start_stride);
    return run_tile<Dot, LeftLayout::interleaved>(rows, count, tile);
  }
  HWY_ALIGN float edge[kTallRows * kTileVectors * hn::MaxLanes(FloatTag())];
  std::fill(edge, edge + rows * cols, 0.0f);
  if (start != nullptr)
    for (size_t r = 0; r < rows; ++r)
      std::memcpy(edge + r * cols, start + r * start_stride, count * sizeof(float));
  tile.c = edge;
  tile.c_stride = cols;
  tile.residual = edge;
  tile.residual_stride = cols;
  run_tile<Dot, LeftLayout::interleaved>(rows, count, tile);
  for (size_t r = 0; r < rows; ++r)
    std::memcpy(out + r * to.stride, edge + r * cols, count * sizeof(float));
}

// All rows of the A block times one panel. `tile` knows the panel.
template <class Dot>
void multiply_tiles(const PackedMatrix& b, const MatmulOutput& to, const PanelStep& step,
                    size_t col, Tile& tile, const Ahead& ahead) {
  const size_t count = std::min(tile_cols(), b.n - col);
  const size_t tiles = tile_count(step.rows);
  tile.prefetch_step = ahead.bytes / (tiles * std::max<size_t>(1, step.units));
  for (size_t i = 0; i < tiles; ++i) {
    const size_t begin = tile_begin(step.rows, i, tiles);
    const size_t rows = tile_begin(step.rows, i + 1, tiles) - begin;
    const size_t row = step.row_begin + begin;
    tile.a = step.a.units + begin * step.units;
    tile.row_scale = step.a.scale + begin;
    tile.row_zero = step.a.zero + begin;
    tile.prefetch = ahead.from + i * tile.prefetch_step * tile.units;
    multiply_rows<Dot>(to, tile, row, rows, col, count);
    if (step.last && to.op != UnaryOp::identity)
      unary_run(to.op, to.out + row * to.stride + col, to.stride, rows, count);
  }
}

// One k-block of a panel of 16-bit floats as f32, which is exact.
template <class Half>
void widen_panel(const char* from, size_t count, float* to) {
  const FloatTag d;
  const hn::Rebind<Half, FloatTag> d_half;
  const hn::Rebind<uint16_t, FloatTag> d_bits;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto bits = hn::Load(d_bits, reinterpret_cast<const uint16_t*>(from) + i);
    hn::Store(hn::PromoteTo(d, hn::BitCast(d_half, bits)), d, to + i);
  }
}

// One k-block of a panel of weights that lie as they are stored.
template <class T>
void turn_stored(const PackedMatrix& b, const PanelStep& step, size_t col, float* to) {
  const T* from = static_cast<const T*>(b.panels) + col * b.k + step.unit_begin;
  turn_panel(from, b.k, step.units, std::min(tile_cols(), b.n - col), to);
}

// One k-block of a panel as f32, where it is not packed as that.
void make_panel(const PackedMatrix& b, const PanelStep& step, size_t col, const char* packed,
                float* to) {
  const size_t count = step.units * tile_cols();
  if (b.type == PanelType::f32)
    turn_stored<float>(b, step, col, to);
  else if (b.type == PanelType::f16)
    b.stored ? turn_stored<hwy::float16_t>(b, step, col, to)
             : widen_panel<hwy::float16_t>(packed, count, to);
  else
    b.stored ? turn_stored<hwy::bfloat16_t>(b, step, col, to)
             : widen_panel<hwy::bfloat16_t>(packed, count, to);
}

template <class Dot>
void multiply_panel(const PackedMatrix& b, const MatmulOutput& to, const PanelStep& step,
                    size_t panel) {
  const size_t cols = tile_cols();
  const size_t col = panel * cols;
  const bool half = b.type == PanelType::f16 || b.type == PanelType::bf16;
  const size_t unit_bytes = cols * (half ? 2 : 4);
  const char* from = static_cast<const char*>(b.panels);
  if (!b.stored) from += (panel * step.all_units + step.unit_begin) * unit_bytes;
  Tile tile{};
  tile.b = from;
  tile.units = step.units;
  tile.accumulate = !step.first;
  tile.bias = b.bias == nullptr ? nullptr : b.bias + col;
  if (b.type == PanelType::int8) {
    tile.column_scale = b.scales + col;
    tile.column_sum = step.sums + col;
  }
  // Each tile asks for its share of the next panel, which comes from the third cache or memory.
  Ahead ahead{from, 0};
  if (step.prefetch && !b.stored)
    ahead = {from + step.all_units * unit_bytes, step.units * unit_bytes};
  HWY_ALIGN float wide[kMaxUnits * kTileVectors * hn::MaxLanes(FloatTag())];
  if (half || b.stored) {
    make_panel(b, step, col, from, wide);
    tile.b = wide;
  }
  multiply_tiles<Dot>(b, to, step, col, tile, ahead);
}

template <class Dot>
void multiply_as(const RowSource& a, const PackedMatrix& b, const MatmulOutput& to,
                 const MatmulPart& part) {
  Block block;
  const size_t width = (b.n + tile_cols() - 1) / tile_cols() * tile_cols();
  const size_t all_rows = part.row_end - part.row_begin;
  const size_t tiles = (all_rows + kTileRows - 1) / kTileRows;
  constexpr size_t kBlockTiles = kBlockRows<Dot> / kTileRows;
  const size_t row_blocks = (tiles + kBlockTiles - 1) / kBlockTiles;
  const auto row_of = [&](size_t block) {  // whole tiles, so that as many as can be have all rows
    return part.row_begin + tile_begin(all_rows, tiles * block / row_blocks, tiles);
  };
  const KBlocks<Dot> k_blocks(b.k);
  for (size_t rb = 0; rb < row_blocks; ++rb) {
    const size_t row = row_of(rb), rows = row_of(rb + 1) - row;
    for (size_t kb = 0; kb < k_blocks.count; ++kb) {
      const size_t unit = k_blocks.begin(kb), units = k_blocks.begin(kb + 1) - unit;
      const size_t k = unit * Dot::kDepth;
      const size_t k_count = std::min(b.k - k, units * Dot::kDepth);
      fill_block<Dot>(a, {row, rows, k, k_count}, block);
      const float* sums = b.sums == nullptr ? nullptr : b.sums + kb * width;
      const bool first = kb == 0, last = kb + 1 == k_blocks.count;
      PanelStep step{block, rows, row, unit, units, k_blocks.units, sums, first, last, false};
      for (size_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
        step.prefetch = panel + 1 < part.panel_end && rows >= kPrefetchRows;
        multiply_panel<Dot>(b, to, step, panel);
      }
    }
  }
}

void multiply(const RowSource& a, const PackedMatrix& b, const MatmulOutput& to,
              const MatmulPart& part) {
  [[maybe_unused]] const DotProducts has = dot_products();
  switch (b.type) {
    case PanelType::f32:
    case PanelType::f16:
    case PanelType::bf16:
      return multiply_as<F32Dot>(a, b, to, part);
    case PanelType::bf16_pairs:
#if OPENCLIP_HAVE_DOT_INSTRUCTIONS
      return multiply_as<Bf16PairDot>(a, b, to, part);
#else
      return;  // matmul() has refused it
#endif
    case PanelType::int8:
#if OPENCLIP_HAVE_DOT_INSTRUCTIONS
      if (has.int8) return multiply_as<Int8VnniDot>(a, b, to, part);
#endif
      return multiply_as<Int8Dot>(a, b, to, part);
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {

HWY_EXPORT(tile_rows);
HWY_EXPORT(multiply);

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

// Threads are laid over rows and panels as a grid of `rows` x `panels`.
struct Grid {
  size_t rows, panels;
};

// The grid with the smallest largest part. Among equals: with many rows the one that splits rows,
// since then no two threads copy the same rows of A; with few the one that splits panels, since
// then no two threads read the same weights, which come from memory.
Grid choose_grid(size_t threads, size_t row_tiles, size_t panels) {
  constexpr size_t kManyTiles = 16;  // for each thread: a block of A
  const bool split_rows = row_tiles >= kManyTiles * threads;
  Grid best{1, 1};
  size_t best_cost = row_tiles * panels;
  for (size_t r = std::min(threads, row_tiles); r >= 1; --r) {
    const size_t p = std::min(threads / r, panels);
    const size_t cost = ceil_div(row_tiles, r) * ceil_div(panels, p);
    if (cost < best_cost || (cost == best_cost && !split_rows)) {
      best = {r, p};
      best_cost = cost;
    }
  }
  return best;
}

}  // namespace

void MatrixRows::copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                      size_t stride) const {
  for (size_t i = 0; i < rows; ++i)
    std::memcpy(to + i * stride, a_ + (row_begin + i) * stride_ + k_begin, k_count * sizeof(float));
}

void matmul(int threads, size_t m, const RowSource& a, const PackedMatrix& b,
            const MatmulOutput& to) {
  if (b.type == PanelType::bf16_pairs && !dot_products().bf16)
    throw Unsupported("[matmul] this processor does not multiply bfloat16");
  if (m == 0 || b.n == 0) return;
  current_isa();
  const size_t rows_per_tile = HWY_DYNAMIC_DISPATCH(tile_rows)();
  const size_t row_tiles = ceil_div(m, rows_per_tile);
  const size_t panels = ceil_div(b.n, panel_width());
  const Grid grid = choose_grid(static_cast<size_t>(std::max(threads, 1)), row_tiles, panels);
  const size_t parts = grid.rows * grid.panels;
  parallel_for(static_cast<int>(parts), parts, 1, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i) {
      const size_t r = i / grid.panels, p = i % grid.panels;
      HWY_DYNAMIC_DISPATCH(multiply)
      (a, b, to,
       MatmulPart{m * r / grid.rows, m * (r + 1) / grid.rows, panels * p / grid.panels,
                  panels * (p + 1) / grid.panels});
    }
  });
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
