#include "kernels/batch_norm.h"

#include <type_traits>

#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/batch_norm.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/columns-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class V>
struct TwoVectors {
  V first, second;
};

// Adds the sums over the rows of term(columns, row), a pair of vectors, to two arrays. Four rows
// are added up before the arrays are touched: half of the time goes into reading and writing these.
template <class Term>
HWY_INLINE void add_sums(size_t rows, size_t width, float* first, float* second, const Term& term) {
  size_t row = 0;
  for (; row + 4 <= rows; row += 4)
    for_columns(width, [&](auto columns) HWY_ATTR {
      const auto a = term(columns, row), b = term(columns, row + 1);
      const auto c = term(columns, row + 2), e = term(columns, row + 3);
      columns.store(hn::Add(columns.load(first),
                            hn::Add(hn::Add(a.first, b.first), hn::Add(c.first, e.first))),
                    first);
      columns.store(hn::Add(columns.load(second),
                            hn::Add(hn::Add(a.second, b.second), hn::Add(c.second, e.second))),
                    second);
    });
  for (; row < rows; ++row)
    for_columns(width, [&](auto columns) HWY_ATTR {
      const auto a = term(columns, row);
      columns.store(hn::Add(columns.load(first), a.first), first);
      columns.store(hn::Add(columns.load(second), a.second), second);
    });
}

void moments(Rows<const float> x, const float* centre, float* sums, float* squares) {
  add_sums(x.count, x.width, sums, squares, [&](auto columns, size_t row) HWY_ATTR {
    const auto v = hn::Sub(columns.load(x.row(row)), columns.load(centre));
    return TwoVectors<std::remove_cv_t<decltype(v)>>{v, hn::Mul(v, v)};
  });
}

template <bool kRelu>
void normalise_columns(Rows<const float> x, const NormColumns& norm, Rows<float> out) {
  for (size_t row = 0; row < x.count; ++row)
    for_columns(x.width, [&](auto columns) HWY_ATTR {
      auto y =
          hn::MulAdd(columns.load(x.row(row)), columns.load(norm.scale), columns.load(norm.offset));
      if constexpr (kRelu) y = hn::Max(y, hn::Zero(columns.d));
      columns.store(y, out.row(row));
    });
}

// The gradient before the ReLU: dy where y > 0, computed as it was on the way forward.
template <bool kRelu, class D>
HWY_INLINE hn::Vec<D> before_relu(SomeColumns<D> columns, hn::Vec<D> x, const float* dy,
                                  const NormColumns& norm) {
  const auto g = columns.load(dy);
  if constexpr (!kRelu) return g;
  const auto y = hn::MulAdd(x, columns.load(norm.scale), columns.load(norm.offset));
  return hn::IfThenElseZero(hn::Gt(y, hn::Zero(columns.d)), g);
}

template <bool kRelu>
void gradient_sums(Rows<const float> x, Rows<const float> dy, const NormColumns& norm, float* sums,
                   float* products) {
  add_sums(x.count, x.width, sums, products, [&](auto columns, size_t row) HWY_ATTR {
    const auto v = columns.load(x.row(row));
    const auto g = before_relu<kRelu>(columns, v, dy.row(row), norm);
    return TwoVectors<std::remove_cv_t<decltype(v)>>{
        g, hn::Mul(g, hn::Sub(v, columns.load(norm.mean)))};
  });
}

template <bool kRelu>
void gradient_columns(Rows<const float> x, Rows<const float> dy, const NormColumns& norm,
                      const float* slope, const float* level, Rows<float> dx) {
  for (size_t row = 0; row < x.count; ++row)
    for_columns(x.width, [&](auto columns) HWY_ATTR {
      const auto v = columns.load(x.row(row));
      const auto g = before_relu<kRelu>(columns, v, dy.row(row), norm);
      const auto by_statistics =
          hn::MulAdd(hn::Sub(v, columns.load(norm.mean)), columns.load(slope), columns.load(level));
      columns.store(hn::MulAdd(g, columns.load(norm.scale), by_statistics), dx.row(row));
    });
}

void norm_forward(Rows<const float> x, const NormColumns& norm, Rows<float> out) {
  norm.relu ? normalise_columns<true>(x, norm, out) : normalise_columns<false>(x, norm, out);
}

void norm_sums(Rows<const float> x, Rows<const float> dy, const NormColumns& norm, float* sums,
               float* products) {
  norm.relu ? gradient_sums<true>(x, dy, norm, sums, products)
            : gradient_sums<false>(x, dy, norm, sums, products);
}

void norm_backward(Rows<const float> x, Rows<const float> dy, const NormColumns& norm,
                   const float* slope, const float* level, Rows<float> dx) {
  norm.relu ? gradient_columns<true>(x, dy, norm, slope, level, dx)
            : gradient_columns<false>(x, dy, norm, slope, level, dx);
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(moments);
HWY_EXPORT(norm_forward);
HWY_EXPORT(norm_sums);
HWY_EXPORT(norm_backward);
}  // namespace

void column_moments(Rows<const float> x, const float* centre, float* sums, float* squares) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(moments)(x, centre, sums, squares);
}

void norm_columns(Rows<const float> x, const NormColumns& columns, Rows<float> out) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(norm_forward)(x, columns, out);
}

void norm_columns_sums(Rows<const float> x, Rows<const float> dy, const NormColumns& columns,
                       float* sums, float* products) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(norm_sums)(x, dy, columns, sums, products);
}

void norm_columns_backward(Rows<const float> x, Rows<const float> dy, const NormColumns& columns,
                           const float* slope, const float* level, Rows<float> dx) {
  current_isa();
  HWY_DYNAMIC_DISPATCH(norm_backward)(x, dy, columns, slope, level, dx);
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
