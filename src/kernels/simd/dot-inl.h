// What a tile multiplies: 32-bit units of A (one float, two bfloat16, four bytes) with the same
// number of B's elements in each lane. For inclusion under hwy/foreach_target.h.
//
// A Dot says how one unit is read from the two sides and added to the sums:
//   kDepth  elements of k in one unit
//   Sums    what a tile adds up in: f32, or i32 of bytes
#if defined(OPENCLIP_KERNELS_SIMD_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OPENCLIP_KERNELS_SIMD_DOT_INL_H_
#undef OPENCLIP_KERNELS_SIMD_DOT_INL_H_
#else
#define OPENCLIP_KERNELS_SIMD_DOT_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::ScalableTag<int32_t>;
using FloatVec = hn::Vec<FloatTag>;
using IntVec = hn::Vec<IntTag>;

// AVX-512 processors may have VNNI and BF16, which Highway 1.0 has no targets for. Each is one
// instruction, written as assembly: it needs no compiler flag, and so no copy of everything around
// it. Callers ask dot_products() first.
#undef OPENCLIP_HAVE_DOT_INSTRUCTIONS  // once for each target
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
#define OPENCLIP_HAVE_DOT_INSTRUCTIONS 1
#else
#define OPENCLIP_HAVE_DOT_INSTRUCTIONS 0
#endif

template <class D>
HWY_INLINE hn::Vec<D> broadcast_unit(D d, const char* from) {
  hn::TFromD<D> unit;
  static_assert(sizeof(unit) == 4);
  std::memcpy(&unit, from, sizeof unit);
  return hn::Set(d, unit);
}

// f32 times f32.
struct F32Dot {
  static constexpr size_t kDepth = 1;
  using Sums = FloatVec;
  static HWY_INLINE Sums zero() { return hn::Zero(FloatTag()); }
  static HWY_INLINE FloatVec right(const char* b) {
    return hn::Load(FloatTag(), reinterpret_cast<const float*>(b));
  }
#if HWY_TARGET == HWY_AVX2
  // Twelve sums, two vectors of B and a unit of A are all registers but one. gcc 12 else reads
  // units long before they are needed, for which it copies and spills sums.
  struct Two {
    FloatVec first, second;
  };
  static HWY_INLINE const char* left(const char* a) { return a; }
  static HWY_INLINE Two add_two(const Two& sums, const char* a, FloatVec b_0, FloatVec b_1) {
    __m256 unit, sum_0 = sums.first.raw, sum_1 = sums.second.raw;
    asm("vbroadcastss %[a], %[unit]\n\tvfmadd231ps %[b_0], %[unit], %[sum_0]\n\t"
        "vfmadd231ps %[b_1], %[unit], %[sum_1]"
        : [sum_0] "+x"(sum_0), [sum_1] "+x"(sum_1), [unit] "=&x"(unit)
        : [a] "m"(*reinterpret_cast<const float*>(a)), [b_0] "x"(b_0.raw), [b_1] "x"(b_1.raw));
    return {FloatVec{sum_0}, FloatVec{sum_1}};
  }
#else
  static HWY_INLINE FloatVec left(const char* a) { return broadcast_unit(FloatTag(), a); }
  static HWY_INLINE Sums add(Sums sums, FloatVec a, FloatVec b) { return hn::MulAdd(a, b, sums); }
#endif
};

// Four unsigned bytes of A times four signed ones of B. kMaxLeft: the largest byte of A for which
// nothing overflows.
struct Int8Dot {
  static constexpr size_t kDepth = 4;
  using Sums = IntVec;
  static HWY_INLINE Sums zero() { return hn::Zero(IntTag()); }
  static HWY_INLINE IntVec left(const char* a) { return broadcast_unit(IntTag(), a); }
#if HWY_TARGET == HWY_AVX2
  // B stays in memory, and the three instructions together: twelve sums, a unit of A, a product and
  // the ones fill 16 registers but for one, and gcc 12 else computes all products before it adds
  // any, which spills most of them.
  static HWY_INLINE const char* right(const char* b) { return b; }
#else
  static HWY_INLINE IntVec right(const char* b) {
    return hn::Load(IntTag(), reinterpret_cast<const int32_t*>(b));
  }
#endif
#if HWY_TARGET <= HWY_SSSE3 && HWY_ARCH_X86
  // Two products are added in 16 bits: 2 * 127 * 127 fits, 2 * 255 * 127 would not.
  static constexpr int kMaxLeft = 127;
#if HWY_TARGET == HWY_AVX2
  static HWY_INLINE Sums add(Sums sums, IntVec a, const char* b) {
    __m256i four;
    asm("vpmaddubsw %[b], %[a], %[four]\n\tvpmaddwd %[ones], %[four], %[four]\n\t"
        "vpaddd %[four], %[sums], %[sums]"
        : [sums] "+x"(sums.raw), [four] "=&x"(four)
        : [a] "x"(a.raw), [b] "m"(*reinterpret_cast<const __m256i*>(b)),
          [ones] "x"(_mm256_set1_epi16(1)));
    return sums;
  }
#else
  static HWY_INLINE Sums add(Sums sums, IntVec a, IntVec b) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
    const IntVec four{_mm512_madd_epi16(_mm512_maddubs_epi16(a.raw, b.raw), _mm512_set1_epi16(1))};
#else
    const IntVec four{_mm_madd_epi16(_mm_maddubs_epi16(a.raw, b.raw), _mm_set1_epi16(1))};
#endif
    return hn::Add(sums, four);
  }
#endif
#else
  static constexpr int kMaxLeft = 255;
  template <int kByte>
  static HWY_INLINE IntVec product(IntVec a, IntVec b) {
    const IntVec left = hn::And(hn::ShiftRight<8 * kByte>(a), hn::Set(IntTag(), 255));
    return hn::Mul(left, hn::ShiftRight<24>(hn::ShiftLeft<24 - 8 * kByte>(b)));
  }
  static HWY_INLINE Sums add(Sums sums, IntVec a, IntVec b) {
    return hn::Add(hn::Add(sums, hn::Add(product<0>(a, b), product<1>(a, b))),
                   hn::Add(product<2>(a, b), product<3>(a, b)));
  }
#endif
};

#if OPENCLIP_HAVE_DOT_INSTRUCTIONS
struct Int8VnniDot : Int8Dot {
  static constexpr int kMaxLeft = 255;  // all in 32 bits
  static HWY_INLINE Sums add(Sums sums, IntVec a, IntVec b) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sums.raw) : "v"(a.raw), "v"(b.raw));
    return sums;
  }
};

// Pairs of bfloat16 on both sides, summed in f32.
struct Bf16PairDot {
  static constexpr size_t kDepth = 2;
  using Sums = FloatVec;
  static HWY_INLINE Sums zero() { return hn::Zero(FloatTag()); }
  static HWY_INLINE IntVec left(const char* a) { return broadcast_unit(IntTag(), a); }
  static HWY_INLINE IntVec right(const char* b) {
    return hn::Load(IntTag(), reinterpret_cast<const int32_t*>(b));
  }
  static HWY_INLINE Sums add(Sums sums, IntVec a, IntVec b) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sums.raw) : "v"(a.raw), "v"(b.raw));
    return sums;
  }
};
#endif

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled guard
