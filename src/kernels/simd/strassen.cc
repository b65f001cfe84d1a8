// Strassen's algorithm, one step of it: a product of two matrices in quarters takes seven products
// of quarters instead of eight. The matrices are two tiles of rows of A and two panels of B; k is
// cut in halves. What threads do is in kernels/strassen_threads.cc, what it brings and costs in
// docs/kernels.md. Source: V. Strassen, Gaussian Elimination is not Optimal, 1969.
#include <algorithm>
#include <cstring>

#include "kernels/isa.h"
#include "kernels/simd/strassen_part.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/strassen.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/simd/block-inl.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

inline constexpr size_t kProductCount = 7;
inline constexpr size_t kGroupRows = 2 * kTileRows;

// Units of half a k-block. As long as a panel's half stays in the first cache or close to it: each
// product ends with sums in memory.
inline constexpr size_t kMostHalfUnits = 512;

// Floats of a block of A: what of the second cache it may take.
inline constexpr size_t kBlockFloats = kProductCount * 8 * kTileRows * 256;

// k in blocks of two halves each.
struct Halves {
  explicit Halves(size_t k)
      : blocks((k + 2 * kMostHalfUnits - 1) / (2 * kMostHalfUnits)),
        units(blocks == 0 ? 0 : k / blocks / 2) {}
  size_t blocks, units;
  size_t left_floats() const { return kTileRows * units; }     // of a tile of A
  size_t right_floats() const { return tile_cols() * units; }  // of half a panel
};

// Quarters are named as in the source: of C, 0 = C11, 1 = C12, 2 = C21, 3 = C22.
//
//   M1 = (A11 + A22) (B11 + B22)   C11 = M1 + M4 - M5 + M7
//   M2 = (A21 + A22) B11           C12 = M3 + M5
//   M3 = A11 (B12 - B22)           C21 = M2 + M4
//   M4 = A22 (B21 - B11)           C22 = M1 - M2 + M3 + M6
//   M5 = (A11 + A12) B22
//   M6 = (A21 - A11) (B11 + B12)
//   M7 = (A12 - A22) (B21 + B22)
//
// M1 to M3 begin the sums, M4 to M7 finish one each.
enum class Use { none, set, add, subtract, finish };

// What comes of a product: one or two quarters change.
struct Product {
  size_t first_quarter;
  Use first;
  size_t second_quarter;
  Use second;  // set or finish
};
inline constexpr Product kProducts[] = {{0, Use::set, 3, Use::set},          // M1
                                        {3, Use::subtract, 2, Use::set},     // M2
                                        {3, Use::add, 1, Use::set},          // M3
                                        {0, Use::add, 2, Use::finish},       // M4
                                        {0, Use::subtract, 1, Use::finish},  // M5
                                        {3, Use::none, 3, Use::finish},      // M6
                                        {0, Use::none, 0, Use::finish}};     // M7

template <size_t... kVector>
HWY_INLINE void add_sums_row(FloatVec (&sums)[sizeof...(kVector)], const float* earlier,
                             std::index_sequence<kVector...>) {
  const FloatTag d;
  ((sums[kVector] = hn::Add(hn::Load(d, earlier + kVector * hn::Lanes(d)), sums[kVector])), ...);
}

// sums += earlier; earlier: [kTileRows, tile_cols()].
template <size_t... kRow, size_t... kVector>
HWY_INLINE void add_sums(FloatVec (&sums)[sizeof...(kRow)][sizeof...(kVector)],
                         const float* earlier, std::index_sequence<kRow...>,
                         std::index_sequence<kVector...> vectors) {
  (add_sums_row(sums[kRow], earlier + kRow * tile_cols(), vectors), ...);
}

// A tile's product, and what comes of it; a quarter that is finished goes where the tile says.
template <Use kFirst, Use kSecond>
HWY_NOINLINE void run_product(const Tile& t, float* first, float* second) {
  constexpr auto rows = std::make_index_sequence<kTileRows>();
  constexpr auto vectors = std::make_index_sequence<kTileVectors>();
  const FloatTag d;
  const size_t cols = tile_cols();
  TileSums<F32Dot, kTileRows, kTileVectors> sums;
  sum_tile<F32Dot, LeftLayout::interleaved>(
      t, sums, rows, vectors, std::make_index_sequence<kTurnUnits<LeftLayout::interleaved>>());
  const auto as_is = [](FloatVec value, size_t, size_t) HWY_ATTR { return value; };
  const auto added = [=](FloatVec value, size_t row, size_t column) HWY_ATTR {
    return hn::Add(hn::Load(d, first + row * cols + column), value);
  };
  const auto subtracted = [=](FloatVec value, size_t row, size_t column) HWY_ATTR {
    return hn::Sub(hn::Load(d, first + row * cols + column), value);
  };
  if constexpr (kFirst == Use::set) finish_rows(t, sums, first, cols, as_is, rows, vectors);
  if constexpr (kFirst == Use::add) finish_rows(t, sums, first, cols, added, rows, vectors);
  if constexpr (kFirst == Use::subtract)
    finish_rows(t, sums, first, cols, subtracted, rows, vectors);
  if constexpr (kSecond == Use::set) {
    finish_rows(t, sums, second, cols, as_is, rows, vectors);
  } else {
    add_sums(sums, second, rows, vectors);
    finish_tile<F32Dot>(t, sums, rows, vectors);
  }
}

// The quarters of one k-block of two panels.
struct RightQuarters {
  const float *b11, *b12, *b21, *b22;
};

HWY_INLINE RightQuarters right_quarters(const PackedMatrix& b, const Halves& halves, size_t pair,
                                        size_t k_block) {
  const size_t panel = b.k * tile_cols(), half = halves.right_floats();
  const float* b11 = static_cast<const float*>(b.panels) + 2 * pair * panel + 2 * k_block * half;
  return {b11, b11 + panel, b11 + half, b11 + panel + half};
}

// The five factors that are sums, one after the other: of M1, M3, M4, M6 and M7.
inline constexpr size_t kRightSums = 5;

HWY_INLINE void sum_right(const RightQuarters& b, size_t count, float* to) {
  const FloatTag d;
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto b11 = hn::Load(d, b.b11 + i), b12 = hn::Load(d, b.b12 + i);
    const auto b21 = hn::Load(d, b.b21 + i), b22 = hn::Load(d, b.b22 + i);
    hn::Store(hn::Add(b11, b22), d, to + i);
    hn::Store(hn::Sub(b12, b22), d, to + count + i);
    hn::Store(hn::Sub(b21, b11), d, to + 2 * count + i);
    hn::Store(hn::Add(b11, b12), d, to + 3 * count + i);
    hn::Store(hn::Add(b21, b22), d, to + 4 * count + i);
  }
}

// The rows of A of one tile.
struct LeftRows {
  const float* data;
  size_t stride;
};

// The seven left factors of a group, `stride` floats apart.
HWY_INLINE void fill_group(const LeftRows& top, const LeftRows& bottom, const Halves& halves,
                           size_t stride, float* to) {
  const FloatTag d;
  HWY_ALIGN float a12[kTileRows * kMostHalfUnits], a21[kTileRows * kMostHalfUnits];
  float *const a11 = to + 2 * stride, *const a22 = to + 3 * stride;
  const size_t units = halves.units;
  interleave<true>(top.data, top.stride, kTileRows, units, a11);
  interleave<true>(top.data + units, top.stride, kTileRows, units, a12);
  interleave<true>(bottom.data, bottom.stride, kTileRows, units, a21);
  interleave<true>(bottom.data + units, bottom.stride, kTileRows, units, a22);
  for (size_t i = 0; i < halves.left_floats(); i += hn::Lanes(d)) {
    const auto v11 = hn::Load(d, a11 + i), v12 = hn::Load(d, a12 + i);
    const auto v21 = hn::Load(d, a21 + i), v22 = hn::Load(d, a22 + i);
    hn::Store(hn::Add(v11, v22), d, to + i);
    hn::Store(hn::Add(v21, v22), d, to + stride + i);
    hn::Store(hn::Add(v11, v12), d, to + 4 * stride + i);
    hn::Store(hn::Sub(v21, v11), d, to + 5 * stride + i);
    hn::Store(hn::Sub(v12, v22), d, to + 6 * stride + i);
  }
}

// Groups of rows that are multiplied while their factors stay in the second cache.
struct GroupBlock {
  size_t row, rows;  // of A
  size_t groups;
  float* left;  // [product, group, left_floats]
  float* sums;  // [group, quarter, tile]
};

void fill_block(const RowSource& a, const Halves& halves, size_t k_block, const GroupBlock& block) {
  HWY_ALIGN float copied[kGroupRows * 2 * kMostHalfUnits];
  const size_t count = 2 * halves.units, stride = block.groups * halves.left_floats();
  const size_t k = k_block * count;
  const MatrixView whole = a.in_place();
  for (size_t g = 0; g < block.groups; ++g) {
    const size_t row = block.row + g * kGroupRows;
    const size_t rows = std::min(kGroupRows, block.row + block.rows - row);
    LeftRows top{copied, count};
    if (rows == kGroupRows && whole.data != nullptr) {
      top = {whole.data + row * whole.stride + k, whole.stride};
    } else {
      a.copy(row, rows, k, count, copied, count);
      std::fill(copied + rows * count, copied + kGroupRows * count, 0.0f);  // rows there are not
    }
    const LeftRows bottom{top.data + kTileRows * top.stride, top.stride};
    fill_group(top, bottom, halves, stride, block.left + g * halves.left_floats());
  }
}

// Where the tile of a quarter lies in the output.
struct OutputPlace {
  size_t row, rows, col;
};

// What a finished quarter is added to, and where it goes; it is read ahead, for the first store
// would wait for it.
HWY_INLINE void place_tile(const MatmulTarget& target, const OutputPlace& place, Tile& tile) {
  const MatmulOutput& to = target.to;
  tile.c = to.out + place.row * to.stride + place.col;
  tile.c_stride = to.stride;
  tile.bias = target.b.bias == nullptr ? nullptr : target.b.bias + place.col;
  tile.residual =
      to.residual == nullptr ? nullptr : to.residual + place.row * to.residual_stride + place.col;
  tile.residual_stride = to.residual_stride;
  for (size_t r = 0; r < place.rows; ++r) {
    hwy::Prefetch(tile.c + r * tile.c_stride);
    if (tile.residual != nullptr) hwy::Prefetch(tile.residual + r * tile.residual_stride);
  }
}

// A product that ends in rows of which some do not exist.
template <Use kFirst, Use kSecond>
void run_edge(const Tile& whole, size_t rows, float* first, float* second) {
  const size_t cols = tile_cols();
  HWY_ALIGN float edge[kTileRows * kTileVectors * hn::MaxLanes(FloatTag())] = {};
  Tile tile = whole;
  const float* start = tile.accumulate ? whole.c : whole.residual;
  const size_t start_stride = tile.accumulate ? whole.c_stride : whole.residual_stride;
  if (start != nullptr)
    for (size_t r = 0; r < rows; ++r)
      std::memcpy(edge + r * cols, start + r * start_stride, cols * sizeof(float));
  tile.c = edge;
  tile.c_stride = cols;
  tile.residual = whole.residual == nullptr ? nullptr : edge;
  tile.residual_stride = cols;
  run_product<kFirst, kSecond>(tile, first, second);
  for (size_t r = 0; r < rows; ++r)
    std::memcpy(whole.c + r * whole.c_stride, edge + r * cols, cols * sizeof(float));
}

// One k-block of a pair of panels.
struct PairStep {
  const MatmulTarget& target;
  size_t pair;
  const float* rights[kProductCount + 1];  // the last: what comes next
  bool first, last;                        // of the k-blocks
};

// One of the seven products of all groups. tile: with what is the same for all of them.
template <size_t kIndex>
HWY_INLINE void multiply_quarters(const GroupBlock& block, const PairStep& step, Tile& tile) {
  constexpr Product kProduct = kProducts[kIndex];
  constexpr bool kFinish = kProduct.second == Use::finish;
  constexpr auto kRun = run_product<kProduct.first, kProduct.second>;
  const MatmulOutput& to = step.target.to;
  const size_t cols = tile_cols(), tile_floats = kTileRows * cols;
  const size_t left_floats = kTileRows * tile.units, ahead = tile.prefetch_step * tile.units;
  const float* left = block.left + kIndex * block.groups * left_floats;
  float* first = block.sums + kProduct.first_quarter * tile_floats;
  float* second = block.sums + kProduct.second_quarter * tile_floats;
  OutputPlace place{block.row + kProduct.second_quarter / 2 * kTileRows, kTileRows,
                    (2 * step.pair + kProduct.second_quarter % 2) * cols};
  tile.b = step.rights[kIndex];
  tile.prefetch = reinterpret_cast<const char*>(step.rights[kIndex + 1]);
  // As in matmul.cc: an activation comes after the next tile.
  OutputPlace done{0, 0, 0};
  const auto activate = [&] {
    if (step.last && to.op != UnaryOp::identity && done.rows > 0)
      unary_run(to.op, to.out + done.row * to.stride + done.col, to.stride, done.rows, cols);
  };
  for (size_t g = 0; g < block.groups; ++g) {
    tile.a = left;
    if constexpr (kFinish) {
      const size_t end = block.row + block.rows;
      place.rows = place.row < end ? std::min(kTileRows, end - place.row) : 0;
      place_tile(step.target, place, tile);
      if (place.rows == kTileRows)
        kRun(tile, first, second);
      else
        run_edge<kProduct.first, kProduct.second>(tile, place.rows, first, second);
      activate();
      done = place;
      place.row += kGroupRows;
    } else {
      kRun(tile, first, second);
    }
    tile.prefetch += ahead;
    left += left_floats;
    first += 4 * tile_floats;
    second += 4 * tile_floats;
  }
  if constexpr (kFinish) activate();
}

template <size_t... kIndex>
void multiply_pair(const GroupBlock& block, const PairStep& step, size_t units,
                   std::index_sequence<kIndex...>) {
  Tile tile{};
  tile.units = units;
  tile.accumulate = !step.first;
  tile.prefetch_step = tile_cols() * sizeof(float) / block.groups;
  (multiply_quarters<kIndex>(block, step, tile), ...);
}

size_t pairs_of(const PackedMatrix& b) { return b.n / (2 * tile_cols()); }

// The sums of a pair: [k_block, sum, right_floats].
HWY_INLINE const float* sums_of(const float* sums, const Halves& halves, size_t pair,
                                size_t k_block) {
  return sums + (pair * halves.blocks + k_block) * kRightSums * halves.right_floats();
}

void multiply_block(const RowSource& a, std::span<const MatmulTarget> targets, const float* sums,
                    const Halves& halves, const GroupBlock& block) {
  for (size_t kb = 0; kb < halves.blocks; ++kb) {
    fill_block(a, halves, kb, block);
    const float* of_target = sums;
    for (const MatmulTarget& target : targets) {
      const size_t pairs = pairs_of(target.b), half = halves.right_floats();
      for (size_t pair = 0; pair < pairs; ++pair) {
        const RightQuarters b = right_quarters(target.b, halves, pair, kb);
        const float* s = sums_of(of_target, halves, pair, kb);
        const PairStep step{target,
                            pair,
                            {s, b.b11, s + half, s + 2 * half, b.b22, s + 3 * half, s + 4 * half,
                             sums_of(of_target, halves, pair + 1, kb)},
                            kb == 0,
                            kb + 1 == halves.blocks};
        multiply_pair(block, step, halves.units, std::make_index_sequence<kProductCount>());
      }
      of_target = sums_of(of_target, halves, pairs, 0);
    }
  }
}

bool fits(const PackedMatrix& b) {
  if (b.type != PanelType::f32 || b.stored || b.k == 0 || b.n == 0) return false;
  const Halves halves(b.k);
  return halves.blocks * halves.units * 2 == b.k && halves.units % 16 == 0 &&
         b.n % (2 * tile_cols()) == 0;
}

size_t group_rows() { return kGroupRows; }

size_t block_groups(size_t k) {
  return std::max<size_t>(1, kBlockFloats / (kProductCount * Halves(k).left_floats()));
}

size_t sums_floats(size_t groups) { return groups * 4 * kTileRows * tile_cols(); }

size_t block_floats(size_t k) {
  const size_t groups = block_groups(k);
  return groups * kProductCount * Halves(k).left_floats() + sums_floats(groups);
}

size_t pair_floats(size_t k) {
  const Halves halves(k);
  return halves.blocks * kRightSums * halves.right_floats();
}

void sum_pairs(const PackedMatrix& b, size_t begin, size_t end, float* sums) {
  const Halves halves(b.k);
  for (size_t pair = begin; pair < end; ++pair)
    for (size_t kb = 0; kb < halves.blocks; ++kb)
      sum_right(right_quarters(b, halves, pair, kb), halves.right_floats(),
                const_cast<float*>(sums_of(sums, halves, pair, kb)));
}

void multiply_groups(const RowSource& a, size_t m, std::span<const MatmulTarget> targets,
                     const float* sums, size_t group_begin, size_t group_end, float* block) {
  const Halves halves(targets.front().b.k);
  const size_t most = block_groups(targets.front().b.k);
  for (size_t group = group_begin; group < group_end; group += most) {
    const size_t groups = std::min(most, group_end - group), row = group * kGroupRows;
    const size_t rows = std::min(groups * kGroupRows, m - row);
    float* const tile_sums = block + groups * kProductCount * halves.left_floats();
    multiply_block(a, targets, sums, halves, {row, rows, groups, block, tile_sums});
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(fits);
HWY_EXPORT(group_rows);
HWY_EXPORT(block_groups);
HWY_EXPORT(block_floats);
HWY_EXPORT(pairs_of);
HWY_EXPORT(pair_floats);
HWY_EXPORT(sum_pairs);
HWY_EXPORT(multiply_groups);
}  // namespace

bool strassen_fits(const PackedMatrix& b) { return HWY_DYNAMIC_DISPATCH(fits)(b); }

size_t strassen_group_rows() { return HWY_DYNAMIC_DISPATCH(group_rows)(); }

size_t strassen_block_groups(size_t k) { return HWY_DYNAMIC_DISPATCH(block_groups)(k); }

size_t strassen_block_floats(size_t k) { return HWY_DYNAMIC_DISPATCH(block_floats)(k); }

size_t strassen_pairs(const PackedMatrix& b) { return HWY_DYNAMIC_DISPATCH(pairs_of)(b); }

size_t strassen_pair_floats(size_t k) { return HWY_DYNAMIC_DISPATCH(pair_floats)(k); }

void strassen_sum_pairs(const PackedMatrix& b, size_t begin, size_t end, float* sums) {
  HWY_DYNAMIC_DISPATCH(sum_pairs)(b, begin, end, sums);
}

void strassen_groups(const RowSource& a, size_t m, std::span<const MatmulTarget> targets,
                     const float* sums, size_t group_begin, size_t group_end, float* block) {
  HWY_DYNAMIC_DISPATCH(multiply_groups)(a, m, targets, sums, group_begin, group_end, block);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
