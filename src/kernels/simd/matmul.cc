// Packed matrix product: blocking, threads, and packing of B. The tile itself is in tile-inl.h.
#include "kernels/matmul.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/isa.h"
#include "kernels/simd/matmul_part.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/matmul.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/simd/math-inl.h"
#include "kernels/simd/pack-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

// Block sizes. A k-block of a panel (24 KB on AVX2, 32 KB on AVX-512, whose processors have first
// caches of 32 or 48 KB) stays in the first cache while the rows of an A block (295 or 197 KB) pass
// by from the second. Measured on AVX2 only; k-blocks of 256 to 512 and 144 to 240 rows are within
// 2 %.
inline constexpr size_t kMaxK = kTileRows > 6 ? 256 : 384;
inline constexpr size_t kMaxRows = 192;
inline constexpr size_t kLine = 64;  // bytes of a cache line
// With fewer rows the prefetches of a panel take longer than its product (measured at 8 rows: -12
// %; at 50 and more: +2 to +5 %); the hardware's own prefetcher must do.
inline constexpr size_t kPrefetchRows = 24;

size_t panel_columns() { return tile_cols(); }
size_t tile_rows() { return kTileRows; }

void pack(const float* b, bool transposed, size_t k, size_t n, size_t panel_begin, size_t panel_end,
          float* packed) {
  const size_t cols = tile_cols();
  for (size_t panel = panel_begin; panel < panel_end; ++panel) {
    float* to = packed + panel * cols * k;
    const size_t first = panel * cols;
    const size_t count = std::min(cols, n - first);
    if (transposed)
      pack_panel_transposed(b + first * k, k, k, count, to);
    else
      pack_panel(b + first, n, k, count, to);
  }
}

// One k-block of one A block times one panel.
struct PanelStep {
  const float* a;
  size_t a_stride, rows, row_begin, panel, k_begin, k_count;
  bool first, last;
  bool has_next;  // panel after this one
};

void multiply_panel(const PackedMatrix& b, const MatmulOutput& to, const PanelStep& step) {
  const size_t cols = tile_cols();
  const size_t col = step.panel * cols;
  const size_t count = std::min(cols, b.n - col);
  HWY_ALIGN float edge[kTileRows * 2 * hn::MaxLanes(TileTag())];
  Tile tile{};
  tile.a_stride = step.a_stride;
  tile.b = b.panels + step.panel * cols * b.k + step.k_begin * cols;
  tile.k = step.k_count;
  tile.accumulate = !step.first;
  tile.bias = b.bias == nullptr ? nullptr : b.bias + col;
  const size_t tiles = (step.rows + kTileRows - 1) / kTileRows;
  const char* next_panel = reinterpret_cast<const char*>(tile.b + cols * b.k);
  const size_t next_lines = step.has_next ? step.k_count * cols * sizeof(float) / kLine : 0;
  for (size_t i = 0; i < tiles; ++i) {
    // Each tile asks for its share of the next panel, which comes from the third cache or memory.
    for (size_t line = tile_begin(next_lines, i, tiles), end = tile_begin(next_lines, i + 1, tiles);
         line < end; ++line)
      hwy::Prefetch(next_panel + line * kLine);
    const size_t begin = tile_begin(step.rows, i, tiles);
    const size_t rows = tile_begin(step.rows, i + 1, tiles) - begin;
    float* out = to.out + (step.row_begin + begin) * to.stride + col;
    const float* residual = to.residual == nullptr
                                ? nullptr
                                : to.residual + (step.row_begin + begin) * to.residual_stride + col;
    tile.a = step.a + begin * step.a_stride;
    if (count == cols) {
      tile.c = out;
      tile.c_stride = to.stride;
      tile.residual = residual;
      tile.residual_stride = to.residual_stride;
      const float* start = step.first ? residual : out;  // read when the product is done
      if (start != nullptr)
        for (size_t r = 0; r < rows; ++r)
          hwy::Prefetch(start + r * (step.first ? to.residual_stride : to.stride));
      run_tile(rows, tile);
    } else {  // the last panel's missing columns exist only in `edge`
      const float* start = step.first ? residual : out;
      const size_t stride = step.first ? to.residual_stride : to.stride;
      std::fill(edge, edge + rows * cols, 0.0f);
      if (start != nullptr)
        for (size_t r = 0; r < rows; ++r)
          std::memcpy(edge + r * cols, start + r * stride, count * sizeof(float));
      tile.c = edge;
      tile.c_stride = cols;
      tile.residual = edge;
      tile.residual_stride = cols;
      run_tile(rows, tile);
      for (size_t r = 0; r < rows; ++r)
        std::memcpy(out + r * to.stride, edge + r * cols, count * sizeof(float));
    }
    if (step.last && to.op != UnaryOp::identity)
      for (size_t r = 0; r < rows; ++r) unary_run(to.op, out + r * to.stride, count);
  }
}

void multiply(const RowSource& a, const PackedMatrix& b, const MatmulOutput& to,
              const MatmulPart& part) {
  HWY_ALIGN float block[kMaxRows * kMaxK];
  const size_t all_rows = part.row_end - part.row_begin;
  const size_t row_blocks = (all_rows + kMaxRows - 1) / kMaxRows;
  const size_t k_blocks = std::max<size_t>(1, (b.k + kMaxK - 1) / kMaxK);
  for (size_t rb = 0; rb < row_blocks; ++rb) {
    const size_t row = part.row_begin + all_rows * rb / row_blocks;
    const size_t rows = part.row_begin + all_rows * (rb + 1) / row_blocks - row;
    for (size_t kb = 0; kb < k_blocks; ++kb) {
      const size_t k = b.k * kb / k_blocks;
      const size_t k_count = b.k * (kb + 1) / k_blocks - k;
      a.copy(row, rows, k, k_count, block, k_count);
      PanelStep step{block, k_count, rows, row, 0, k, k_count, kb == 0, kb + 1 == k_blocks, false};
      for (step.panel = part.panel_begin; step.panel < part.panel_end; ++step.panel) {
        step.has_next = step.panel + 1 < part.panel_end && rows >= kPrefetchRows;
        multiply_panel(b, to, step);
      }
    }
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {

HWY_EXPORT(panel_columns);
HWY_EXPORT(tile_rows);
HWY_EXPORT(pack);
HWY_EXPORT(multiply);

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

// Threads are laid over rows and panels as a grid of `rows` x `panels`.
struct Grid {
  size_t rows, panels;
};

// The grid with the smallest largest part; among equals the one that splits rows, since then no two
// threads copy the same rows of A.
Grid choose_grid(size_t threads, size_t row_tiles, size_t panels) {
  Grid best{1, 1};
  size_t best_cost = row_tiles * panels;
  for (size_t r = std::min(threads, row_tiles); r >= 1; --r) {
    const size_t p = std::min(threads / r, panels);
    const size_t cost = ceil_div(row_tiles, r) * ceil_div(panels, p);
    if (cost < best_cost) {
      best = {r, p};
      best_cost = cost;
    }
  }
  return best;
}

}  // namespace

size_t panel_width() {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(panel_columns)();
}

size_t packed_floats(size_t k, size_t n) {
  const size_t width = panel_width();
  return ceil_div(n, width) * width * k;
}

void pack_panels(const float* b, bool transposed, size_t k, size_t n, size_t panel_begin,
                 size_t panel_end, float* packed) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(pack)(b, transposed, k, n, panel_begin, panel_end, packed);
}

void MatrixRows::copy(size_t row_begin, size_t rows, size_t k_begin, size_t k_count, float* to,
                      size_t stride) const {
  for (size_t i = 0; i < rows; ++i)
    std::memcpy(to + i * stride, a_ + (row_begin + i) * stride_ + k_begin, k_count * sizeof(float));
}

void matmul(int threads, size_t m, const RowSource& a, const PackedMatrix& b,
            const MatmulOutput& to) {
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
