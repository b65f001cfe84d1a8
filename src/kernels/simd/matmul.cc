// Packed matrix product: what one thread does. The tile itself is in tile-inl.h, the threads are in
// kernels/matmul_threads.cc.
#include "kernels/matmul.h"

#include <algorithm>

#include "kernels/isa.h"
#include "kernels/simd/matmul_part.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/matmul.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/block-inl.h"
#include "kernels/simd/output-inl.h"
#include "kernels/simd/pack-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

// Memory to read while a panel is multiplied: what comes next.
struct Ahead {
  const char* from;
  size_t bytes;
};

// One k-block of one A block times one panel.
struct PanelStep {
  const Block& a;
  size_t rows, row_begin;
  size_t unit_begin, units;
  size_t k_block;
  bool last;  // of the k-blocks
};

// All rows of the A block times one panel. `tile` knows the panel.
template <class Dot>
void multiply_tiles(const PackedMatrix& b, const MatmulOutput& to, const PanelStep& step,
                    size_t col, Tile& tile, const Ahead& ahead) {
  const size_t count = std::min(tile_cols(), b.n - col);
  const size_t tiles = tile_count(step.rows);
  tile.prefetch_step = ahead.bytes / (tiles * std::max<size_t>(1, step.units));
  tile.prefetch = ahead.from;
  LateActivation activation(to, step.last);
  size_t begin = 0;
  for (size_t i = 0; i < tiles; ++i) {
    const size_t end = tile_begin(step.rows, i + 1, tiles);
    const OutputPlace place{step.row_begin + begin, end - begin, col, count};
    const auto run = [&](const Tile& placed) HWY_ATTR {
      run_tile<Dot, LeftLayout::interleaved>(place.rows, count, placed);
    };
    tile.a = step.a.units + begin * step.units;
    tile.row_scale = step.a.scale + begin;
    tile.row_zero = step.a.zero + begin;
    if (count == tile_cols())
      run_at(to, place, tile, run);
    else
      run_at_edge(to, place, tile, run);
    activation.made(place);
    tile.prefetch += tile.prefetch_step * tile.units;
    begin = end;
  }
  activation.finish();
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
BlockRange block_range(size_t all_k, const KBlocks<Dot>& k_blocks, size_t row, size_t rows,
                       size_t kb) {
  const size_t k = k_blocks.begin(kb) * Dot::kDepth;
  return {row, rows, k, std::min(all_k, k_blocks.begin(kb + 1) * Dot::kDepth) - k};
}

// Its place in the copy of all rows: each block of rows lies together, k-block after k-block.
template <class Dot>
Block block_of(const LeftCopy& left, const KBlocks<Dot>& k_blocks, size_t row, size_t rows,
               size_t kb) {
  return {left.units + row * k_blocks.units + rows * k_blocks.begin(kb),
          left.scale + kb * left.rows + row, left.zero + kb * left.rows + row};
}

template <class Dot>
void fill_block(const RowSource& a, const BlockRange& range, const Block& block) {
  TileRows<Dot> memory;
  const size_t tiles = tile_count(range.rows);
  for (size_t i = 0; i < tiles; ++i) fill_tile<Dot>(a, range, i, memory, block);
}

HWY_INLINE size_t panels_of(const PackedMatrix& b) { return (b.n + tile_cols() - 1) / tile_cols(); }

// A panel of one of the targets.
struct PanelPlace {
  const MatmulTarget* target;
  size_t panel;
};

// Panel number `index` of all; no target where there are fewer.
PanelPlace place_of(std::span<const MatmulTarget> targets, size_t index) {
  for (const MatmulTarget& target : targets) {
    const size_t panels = panels_of(target.b);
    if (index < panels) return {&target, index};
    index -= panels;
  }
  return {nullptr, 0};
}

// k-block kb of a packed panel; nothing of a panel that is not packed yet, or not there.
template <class Dot>
Ahead panel_memory(const PanelPlace& place, const KBlocks<Dot>& k_blocks, size_t kb) {
  if (place.target == nullptr || place.target->b.stored) return {nullptr, 0};
  const PackedMatrix& b = place.target->b;
  const size_t unit_bytes = tile_cols() * (is_half(b) ? 2 : 4);
  const size_t begin = k_blocks.begin(kb), units = k_blocks.begin(kb + 1) - begin;
  const size_t first = place.panel * k_blocks.units + begin;
  return {static_cast<const char*>(b.panels) + first * unit_bytes, units * unit_bytes};
}

template <class Dot>
void multiply_panel(const PanelPlace& place, const PanelStep& step, const char* from,
                    const Ahead& ahead) {
  const PackedMatrix& b = place.target->b;
  const size_t cols = tile_cols(), col = place.panel * cols;
  Tile tile{};
  tile.b = from;
  tile.units = step.units;
  tile.accumulate = step.k_block > 0;
  tile.bias = b.bias == nullptr ? nullptr : b.bias + col;
  if (b.type == PanelType::int8) {
    tile.column_scale = b.scales + col;
    tile.column_sum = b.sums + step.k_block * panels_of(b) * cols + col;
  }
  HWY_ALIGN float wide[kMaxUnits * kTileVectors * hn::MaxLanes(FloatTag())];
  if (b.stored || is_half(b)) {
    make_panel(b, step, col, from, wide);
    tile.b = wide;
  }
  multiply_tiles<Dot>(b, place.target->to, step, col, tile, ahead);
}

// Row after row of blocks, each k-block of each over all panels. The panel that comes next is read
// ahead, from the third cache or from memory, be it of the next k-block or of the next rows; after
// the last one comes, as a rule, the panel behind it.
template <class Dot>
void multiply_as(const RowSource& a, std::span<const MatmulTarget> targets, const MatmulPart& part,
                 const LeftCopy* left) {
  BlockMemory memory;
  const size_t k = targets.front().b.k;
  const KBlocks<Dot> k_blocks(k);
  const RowBlocks<Dot> row_blocks(part.row_begin, part.row_end, k_blocks);
  for (size_t rb = 0; rb < row_blocks.count; ++rb) {
    const size_t row = row_blocks.begin(rb), rows = row_blocks.begin(rb + 1) - row;
    for (size_t kb = 0; kb < k_blocks.count; ++kb) {
      const Block block =
          left == nullptr ? memory.block() : block_of(*left, k_blocks, row, rows, kb);
      if (left == nullptr) fill_block<Dot>(a, block_range<Dot>(k, k_blocks, row, rows, kb), block);
      const size_t unit = k_blocks.begin(kb);
      const bool last = kb + 1 == k_blocks.count;
      const PanelStep step{block, rows, row, unit, k_blocks.begin(kb + 1) - unit, kb, last};
      for (size_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
        size_t next = panel + 1, next_kb = kb;
        if (next == part.panel_end) {
          if (!last || rb + 1 < row_blocks.count) next = part.panel_begin;
          next_kb = last ? 0 : kb + 1;
        }
        const PanelPlace place = place_of(targets, panel);
        Ahead ahead{nullptr, 0};
        if (rows >= kPrefetchRows) ahead = panel_memory(place_of(targets, next), k_blocks, next_kb);
        if (ahead.from == nullptr) ahead.from = reinterpret_cast<const char*>(block.units);
        multiply_panel<Dot>(place, step, panel_memory(place, k_blocks, kb).from, ahead);
      }
    }
  }
}

// fn(Dot()) for the Dot that multiplies panels of `type`.
template <class Fn>
auto with_dot(PanelType type, const Fn& fn) {
#if OPENCLIP_HAVE_DOT_INSTRUCTIONS
  if (type == PanelType::bf16_pairs) return fn(Bf16PairDot());
  if (type == PanelType::int8 && dot_products().int8) return fn(Int8VnniDot());
#endif
  if (type == PanelType::int8) return fn(Int8Dot());
  return fn(F32Dot());  // matmul() has refused bf16_pairs where they cannot be had
}

void multiply(const RowSource& a, std::span<const MatmulTarget> targets, const MatmulPart& part,
              const LeftCopy* left) {
  with_dot(targets.front().b.type,
           [&]<class Dot>(Dot) { multiply_as<Dot>(a, targets, part, left); });
}

LeftSize size_of_left(PanelType type, size_t k) {
  return with_dot(type, [&]<class Dot>(Dot) {
    const KBlocks<Dot> blocks(k);
    return LeftSize{blocks.units, blocks.count};
  });
}

template <class Dot>
size_t tiles_as(size_t k, const MatmulPart& part) {
  const RowBlocks<Dot> blocks(part.row_begin, part.row_end, KBlocks<Dot>(k));
  size_t tiles = 0;
  for (size_t rb = 0; rb < blocks.count; ++rb)
    tiles += tile_count(blocks.begin(rb + 1) - blocks.begin(rb));
  return tiles;
}

size_t tiles_of_left(PanelType type, size_t k, const MatmulPart& part) {
  return with_dot(type, [&]<class Dot>(Dot) { return tiles_as<Dot>(k, part); });
}

template <class Dot>
void fill_as(const RowSource& a, size_t k, const MatmulPart& part, size_t tile,
             const LeftCopy& left) {
  TileRows<Dot> memory;
  const KBlocks<Dot> k_blocks(k);
  const RowBlocks<Dot> blocks(part.row_begin, part.row_end, k_blocks);
  for (size_t rb = 0; rb < blocks.count; ++rb) {
    const size_t row = blocks.begin(rb), rows = blocks.begin(rb + 1) - row;
    const size_t tiles = tile_count(rows);
    if (tile >= tiles) {
      tile -= tiles;
      continue;
    }
    for (size_t kb = 0; kb < k_blocks.count; ++kb)
      fill_tile<Dot>(a, block_range<Dot>(k, k_blocks, row, rows, kb), tile, memory,
                     block_of(left, k_blocks, row, rows, kb));
    return;
  }
}

void fill(const RowSource& a, PanelType type, size_t k, const MatmulPart& part, size_t tile,
          const LeftCopy& left) {
  with_dot(type, [&]<class Dot>(Dot) { fill_as<Dot>(a, k, part, tile, left); });
}

size_t tile_rows() { return kTileRows; }

size_t block_tiles(PanelType type, size_t k) {
  return with_dot(type, [&]<class Dot>(Dot) { return most_block_tiles(KBlocks<Dot>(k)); });
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(tile_rows);
HWY_EXPORT(block_tiles);
HWY_EXPORT(size_of_left);
HWY_EXPORT(tiles_of_left);
HWY_EXPORT(fill);
HWY_EXPORT(multiply);
}  // namespace

size_t matmul_tile_rows() { return HWY_DYNAMIC_DISPATCH(tile_rows)(); }

size_t matmul_block_tiles(PanelType type, size_t k) {
  return HWY_DYNAMIC_DISPATCH(block_tiles)(type, k);
}

LeftSize left_size(PanelType type, size_t k) { return HWY_DYNAMIC_DISPATCH(size_of_left)(type, k); }

size_t left_tiles(PanelType type, size_t k, const MatmulPart& part) {
  return HWY_DYNAMIC_DISPATCH(tiles_of_left)(type, k, part);
}

void fill_left(const RowSource& a, PanelType type, size_t k, const MatmulPart& part, size_t tile,
               const LeftCopy& left) {
  HWY_DYNAMIC_DISPATCH(fill)(a, type, k, part, tile, left);
}

void multiply_part(const RowSource& a, std::span<const MatmulTarget> targets,
                   const MatmulPart& part, const LeftCopy* left) {
  HWY_DYNAMIC_DISPATCH(multiply)(a, targets, part, left);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
