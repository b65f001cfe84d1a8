// Packing of B into panels, and what int8 products need to know of it.
#include <algorithm>

#include "kernels/isa.h"
#include "kernels/matmul.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/pack.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/block-inl.h"
#include "kernels/simd/pack-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

size_t panel_columns() { return tile_cols(); }

template <size_t kDepth, class T>
void pack_as(const UnpackedMatrix& b, size_t panel_begin, size_t panel_end, void* packed) {
  const size_t cols = tile_cols();
  const size_t depth = (b.k + kDepth - 1) / kDepth * kDepth;
  const T* from = static_cast<const T*>(b.data);
  for (size_t panel = panel_begin; panel < panel_end; ++panel) {
    T* to = static_cast<T*>(packed) + panel * cols * depth;
    const size_t first = panel * cols;
    const size_t count = std::min(cols, b.n - first);
    if (!b.transposed)
      pack_panel<kDepth>(from + first, b.n, b.k, count, to);
    else if constexpr (std::is_same_v<T, float>)
      turn_panel(from + first * b.k, b.k, b.k, count, to);
    else
      pack_panel_transposed<kDepth>(from + first * b.k, b.k, b.k, count, to);
  }
}

void pack(PanelType type, const UnpackedMatrix& b, size_t panel_begin, size_t panel_end,
          void* packed) {
  switch (type) {
    case PanelType::f32:
      return pack_as<1, float>(b, panel_begin, panel_end, packed);
    case PanelType::f16:
    case PanelType::bf16:
      return pack_as<1, uint16_t>(b, panel_begin, panel_end, packed);
    case PanelType::bf16_pairs:
      return pack_as<2, uint16_t>(b, panel_begin, panel_end, packed);
    case PanelType::int8:
      return pack_as<4, int8_t>(b, panel_begin, panel_end, packed);
  }
}

int steps() {
#if OPENCLIP_HAVE_DOT_INSTRUCTIONS
  if (dot_products().int8) return Int8VnniDot::kMaxLeft;
#endif
  return Int8Dot::kMaxLeft;
}

size_t block_count(size_t k) { return KBlocks<Int8Dot>(k).count; }

void sum_columns(const void* packed, size_t k, size_t n, size_t panel_begin, size_t panel_end,
                 float* sums) {
  constexpr size_t kDepth = Int8Dot::kDepth;
  const size_t cols = tile_cols();
  const size_t width = (n + cols - 1) / cols * cols;
  const KBlocks<Int8Dot> blocks(k);
  for (size_t panel = panel_begin; panel < panel_end; ++panel) {
    const int8_t* from = static_cast<const int8_t*>(packed) + panel * cols * blocks.units * kDepth;
    for (size_t block = 0; block < blocks.count; ++block) {
      HWY_ALIGN int32_t own[kTileVectors * hn::MaxLanes(IntTag())] = {};
      for (size_t unit = blocks.begin(block); unit < blocks.begin(block + 1); ++unit)
        for (size_t col = 0; col < cols; ++col, from += kDepth)
          own[col] += from[0] + from[1] + from[2] + from[3];
      std::copy(own, own + cols, sums + block * width + panel * cols);
    }
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {

HWY_EXPORT(panel_columns);
HWY_EXPORT(pack);
HWY_EXPORT(steps);
HWY_EXPORT(block_count);
HWY_EXPORT(sum_columns);

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

}  // namespace

size_t panel_width() {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(panel_columns)();
}

size_t packed_bytes(PanelType type, size_t k, size_t n) {
  const size_t columns = ceil_div(n, panel_width()) * panel_width();
  switch (type) {
    case PanelType::f32:
      break;
    case PanelType::f16:
    case PanelType::bf16:
      return columns * k * 2;
    case PanelType::bf16_pairs:
      return columns * ceil_div(k, 2) * 4;
    case PanelType::int8:
      return columns * ceil_div(k, 4) * 4;
  }
  return columns * k * sizeof(float);
}

void pack_panels(PanelType type, const UnpackedMatrix& b, size_t panel_begin, size_t panel_end,
                 void* packed) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(pack)(type, b, panel_begin, panel_end, packed);
}

int int8_steps() {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(steps)();
}

size_t int8_blocks(size_t k) {
  current_isa();
  return HWY_DYNAMIC_DISPATCH(block_count)(k);
}

size_t int8_sum_floats(size_t k, size_t n) {
  return int8_blocks(k) * ceil_div(n, panel_width()) * panel_width();
}

void sum_panels(const void* packed, size_t k, size_t n, size_t panel_begin, size_t panel_end,
                float* sums) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(sum_columns)(packed, k, n, panel_begin, panel_end, sums);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
