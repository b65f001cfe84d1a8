// Strassen's algorithm, one step of it: a product of two matrices in quarters takes seven products
// of quarters instead of eight. The matrices are two tiles of rows of A and two panels of B; k is
// cut in halves. What threads do is in kernels/strassen_threads.cc, what it brings and costs in
// docs/kernels.md. Source: V. Strassen, Gaussian Elimination is not Optimal, 1969.
#include <algorithm>

#include "kernels/isa.h"
#include "kernels/simd/strassen_part.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/strassen.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/output-inl.h"
#include "kernels/simd/strassen_factors-inl.h"
#include "kernels/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

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
  const MatmulOutput& to = step.target.to;
  const size_t cols = tile_cols(), tile_floats = kTileRows * cols;
  const size_t left_floats = kTileRows * tile.units, ahead = tile.prefetch_step * tile.units;
  const float* left = block.left + kIndex * block.groups * left_floats;
  float* first = block.sums + kProduct.first_quarter * tile_floats;
  float* second = block.sums + kProduct.second_quarter * tile_floats;
  OutputPlace place{block.row + kProduct.second_quarter / 2 * kTileRows, kTileRows,
                    (2 * step.pair + kProduct.second_quarter % 2) * cols, cols};
  tile.b = step.rights[kIndex];
  tile.prefetch = reinterpret_cast<const char*>(step.rights[kIndex + 1]);
  if (step.target.b.bias != nullptr) tile.bias = step.target.b.bias + place.col;
  const auto run = [&](const Tile& placed) HWY_ATTR {
    run_product<kProduct.first, kProduct.second>(placed, first, second);
  };
  LateActivation activation(to, step.last);
  for (size_t g = 0; g < block.groups; ++g) {
    tile.a = left;
    if constexpr (kFinish) {
      const size_t end = block.row + block.rows;
      place.rows = place.row < end ? std::min(kTileRows, end - place.row) : 0;
      if (place.rows == kTileRows)
        run_at(to, place, tile, run);
      else
        run_at_edge(to, place, tile, run);
      activation.made(place);
      place.row += kGroupRows;
    } else {
      run(tile);
    }
    tile.prefetch += ahead;
    left += left_floats;
    first += 4 * tile_floats;
    second += 4 * tile_floats;
  }
  activation.finish();
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

// The right factors of M1 to M7, and what comes after them. factors: of the whole of B.
PairStep pair_step(const MatmulTarget& target, const RightFactors& right, const float* factors,
                   size_t pair, size_t k_block) {
  const size_t half = right.halves.right_floats();
  const float* sums = factors + right.begin(pair, k_block);
  const float *b11 = sums + kRightSums * half, *b22 = b11 + half;
  if (right.count == kRightSums) {
    const float* panels = static_cast<const float*>(target.b.panels);
    b11 = panels + right.place(pair, k_block, 0, 0);
    b22 = panels + right.place(pair, k_block, 1, 1);
  }
  return {target,
          pair,
          {sums, b11, sums + half, sums + 2 * half, b22, sums + 3 * half, sums + 4 * half,
           factors + right.begin(pair + 1, k_block)},
          k_block == 0,
          k_block + 1 == right.halves.blocks};
}

void multiply_block(const RowSource& a, std::span<const MatmulTarget> targets, const float* factors,
                    const Halves& halves, const GroupBlock& block) {
  for (size_t kb = 0; kb < halves.blocks; ++kb) {
    fill_groups(a, halves, kb, block);
    const float* of_target = factors;
    for (const MatmulTarget& target : targets) {
      const RightFactors right(target.b, halves);
      const size_t pairs = pairs_of(target.b);
      for (size_t pair = 0; pair < pairs; ++pair)
        multiply_pair(block, pair_step(target, right, of_target, pair, kb), halves.units,
                      std::make_index_sequence<kProductCount>());
      of_target += pairs * right.pair_floats();
    }
  }
}

bool fits(const PackedMatrix& b) {
  const bool floats = b.type == PanelType::f32 || is_half(b);
  if (!floats || b.stored || b.k == 0 || b.n == 0) return false;
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

size_t pair_floats(const PackedMatrix& b) {
  const Halves halves(b.k);
  return RightFactors(b, halves).pair_floats();
}

void fill_pairs(const PackedMatrix& b, size_t begin, size_t end, float* factors) {
  const Halves halves(b.k);
  const RightFactors right(b, halves);
  for (size_t pair = begin; pair < end; ++pair)
    for (size_t kb = 0; kb < halves.blocks; ++kb)
      fill_right(right, pair, kb, factors + right.begin(pair, kb));
}

void multiply_groups(const RowSource& a, size_t m, std::span<const MatmulTarget> targets,
                     const float* factors, size_t group_begin, size_t group_end, float* block) {
  const Halves halves(targets.front().b.k);
  const size_t most = block_groups(targets.front().b.k);
  for (size_t group = group_begin; group < group_end; group += most) {
    const size_t groups = std::min(most, group_end - group), row = group * kGroupRows;
    const size_t rows = std::min(groups * kGroupRows, m - row);
    float* const tile_sums = block + groups * kProductCount * halves.left_floats();
    multiply_block(a, targets, factors, halves, {row, rows, groups, block, tile_sums});
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
HWY_EXPORT(fill_pairs);
HWY_EXPORT(multiply_groups);
}  // namespace

bool strassen_fits(const PackedMatrix& b) { return HWY_DYNAMIC_DISPATCH(fits)(b); }

size_t strassen_group_rows() { return HWY_DYNAMIC_DISPATCH(group_rows)(); }

size_t strassen_block_groups(size_t k) { return HWY_DYNAMIC_DISPATCH(block_groups)(k); }

size_t strassen_block_floats(size_t k) { return HWY_DYNAMIC_DISPATCH(block_floats)(k); }

size_t strassen_pairs(const PackedMatrix& b) { return HWY_DYNAMIC_DISPATCH(pairs_of)(b); }

size_t strassen_pair_floats(const PackedMatrix& b) { return HWY_DYNAMIC_DISPATCH(pair_floats)(b); }

void strassen_fill_pairs(const PackedMatrix& b, size_t begin, size_t end, float* factors) {
  HWY_DYNAMIC_DISPATCH(fill_pairs)(b, begin, end, factors);
}

void strassen_groups(const RowSource& a, size_t m, std::span<const MatmulTarget> targets,
                     const float* factors, size_t group_begin, size_t group_end, float* block) {
  HWY_DYNAMIC_DISPATCH(multiply_groups)(a, m, targets, factors, group_begin, group_end, block);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
