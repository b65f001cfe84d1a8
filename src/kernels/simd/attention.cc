// Attention as two packed products per head, with the tile of the matrix product: scores = q K^T
// for a block of queries, softmax, then out = scores V. The keys and values of a head are packed
// once.
#include "kernels/attention.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/attention.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/pack-inl.h"
#include "kernels/simd/rows-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

// Queries per block: whole tiles, few enough that a block of scores stays in the second cache.
inline constexpr size_t kQueryBlock = 28 / kTileRows * kTileRows;

// Below this many queries packing costs more than it saves (packing touches each key as often as
// one query does).
inline constexpr size_t kFewQueries = 4;

HWY_INLINE size_t round_up(size_t count) {
  const size_t cols = tile_cols();
  return (count + cols - 1) / cols * cols;
}

size_t scratch_floats(size_t head_dim, size_t keys) {
  return head_dim * round_up(keys) + round_up(head_dim) * keys + kQueryBlock * round_up(keys);
}

// Keys that query `i` of the span sees.
HWY_INLINE size_t visible_keys(const AttentionShape& shape, const AttentionSpan& span, size_t i) {
  return shape.causal ? span.key_count - span.query_count + i + 1 : span.key_count;
}

void attend_few(const AttentionShape& shape, const AttentionRows& rows, const AttentionSpan& span,
                size_t head, float* scores) {
  const size_t dim = shape.head_dim, column = head * dim;
  for (size_t i = 0; i < span.query_count; ++i) {
    const float* q = rows.q.row(span.query_begin + i) + column;
    float* out = rows.out.row(span.query_begin + i) + column;
    const size_t keys = visible_keys(shape, span, i);
    for (size_t j = 0; j < keys; ++j)
      scores[j] = row_dot(q, rows.k.row(span.key_begin + j) + column, dim);
    const float factor = 1.0f / row_exp(scores, keys, shape.scale);
    std::fill(out, out + dim, 0.0f);
    for (size_t j = 0; j < keys; ++j)
      row_add_scaled(rows.v.row(span.key_begin + j) + column, dim, scores[j] * factor, out);
  }
}

// c[rows, n] = a[rows, k] B for a packed B [k, n]; c must have room for whole panels.
HWY_INLINE void multiply_block(const float* a, size_t a_stride, size_t rows, const float* panels,
                               size_t panel_k, size_t k, size_t n, float* c, size_t c_stride) {
  const size_t cols = tile_cols();
  Tile tile{};
  tile.a_stride = a_stride * sizeof(float);
  tile.units = k;
  tile.c_stride = c_stride;
  for (size_t column = 0; column < n; column += cols) {
    const size_t count = std::min(cols, n - column);
    const size_t tiles = tile_count(rows);
    tile.b = tile.prefetch = reinterpret_cast<const char*>(panels + column * panel_k);
    for (size_t i = 0; i < tiles; ++i) {
      const size_t begin = tile_begin(rows, i, tiles);
      tile.a = a + begin * a_stride;
      tile.c = c + begin * c_stride + column;
      run_tile<F32Dot, LeftLayout::rows>(tile_begin(rows, i + 1, tiles) - begin, count, tile);
    }
  }
}

void attend_packed(const AttentionShape& shape, const AttentionRows& rows,
                   const AttentionSpan& span, size_t head, float* scratch) {
  const size_t cols = tile_cols(), dim = shape.head_dim, column = head * dim;
  const size_t keys = span.key_count, padded_keys = round_up(keys);
  float* key_panels = scratch;                           // [panels][dim][cols]
  float* value_panels = key_panels + dim * padded_keys;  // [panels][keys][cols]
  float* scores = value_panels + round_up(dim) * keys;   // [kQueryBlock, padded_keys]
  const float* k = rows.k.row(span.key_begin) + column;
  const float* v = rows.v.row(span.key_begin) + column;
  for (size_t j = 0; j < keys; j += cols)
    turn_panel(k + j * rows.k.stride, rows.k.stride, dim, std::min(cols, keys - j),
               key_panels + j * dim);
  for (size_t j = 0; j < dim; j += cols)
    pack_panel<1>(v + j, rows.v.stride, keys, std::min(cols, dim - j), value_panels + j * keys);

  HWY_ALIGN float sums[kQueryBlock];
  HWY_ALIGN float edge[kQueryBlock * kTileVectors * hn::MaxLanes(FloatTag())];
  const size_t whole = dim / cols * cols;
  for (size_t begin = 0; begin < span.query_count; begin += kQueryBlock) {
    const size_t count = std::min(kQueryBlock, span.query_count - begin);
    const size_t seen = visible_keys(shape, span, begin + count - 1);
    const float* q = rows.q.row(span.query_begin + begin) + column;
    multiply_block(q, rows.q.stride, count, key_panels, dim, dim, seen, scores, padded_keys);
    for (size_t i = 0; i < count; ++i) {
      float* row = scores + i * padded_keys;
      const size_t own = visible_keys(shape, span, begin + i);
      sums[i] = row_exp(row, own, shape.scale);
      std::fill(row + own, row + seen, 0.0f);
    }
    float* out = rows.out.row(span.query_begin + begin) + column;
    multiply_block(scores, padded_keys, count, value_panels, keys, seen, whole, out,
                   rows.out.stride);
    if (whole < dim) {  // the last columns of a head end inside a panel
      multiply_block(scores, padded_keys, count, value_panels + whole * keys, keys, seen,
                     dim - whole, edge, cols);
      for (size_t i = 0; i < count; ++i)
        std::memcpy(out + i * rows.out.stride + whole, edge + i * cols,
                    (dim - whole) * sizeof(float));
    }
    for (size_t i = 0; i < count; ++i) row_scale(out + i * rows.out.stride, dim, 1.0f / sums[i]);
  }
}

void attend(const AttentionShape& shape, const AttentionRows& rows, const AttentionSpan& span,
            size_t head, float* scratch) {
  if (span.query_count < kFewQueries)
    attend_few(shape, rows, span, head, scratch);
  else
    attend_packed(shape, rows, span, head, scratch);
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(scratch_floats);
HWY_EXPORT(attend);
}  // namespace

size_t attention_scratch_floats(size_t head_dim, size_t max_key_count) {
  current_isa();
  const size_t floats = HWY_DYNAMIC_DISPATCH(scratch_floats)(head_dim, max_key_count);
  return (floats + 15) / 16 * 16;
}

void attention(int threads, const AttentionShape& shape, const AttentionRows& rows,
               const AttentionSpan* spans, size_t span_count, float* scratch) {
  size_t max_keys = 0;
  for (size_t i = 0; i < span_count; ++i) max_keys = std::max(max_keys, spans[i].key_count);
  const size_t scratch_stride = attention_scratch_floats(shape.head_dim, max_keys);
  parallel_for(threads, span_count * shape.heads, 1, [&](size_t begin, size_t end, int worker) {
    float* own = scratch + static_cast<size_t>(worker) * scratch_stride;
    for (size_t unit = begin; unit < end; ++unit) HWY_DYNAMIC_DISPATCH(attend)
    (shape, rows, spans[unit / shape.heads], unit % shape.heads, own);
  });
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
