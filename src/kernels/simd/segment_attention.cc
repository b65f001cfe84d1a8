// Attention over keys in pieces. Branches of a prefix tree are a few tokens long, so that packing
// their keys for a matrix product would cost more than the product: queries go one by one.
#include "kernels/segment_attention.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/parallel.h"
#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/segment_attention.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "kernels/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace openclip::kernels::HWY_NAMESPACE {

// The keys of one query: the first `count` rows of the segments.
struct QueryKeys {
  const KeySegment* segments;
  size_t count;
};

// fn(row, index) for each key.
template <class Fn>
HWY_INLINE void for_each_key(const QueryKeys& keys, const Fn& fn) {
  size_t index = 0;
  for (const KeySegment* segment = keys.segments; index < keys.count; ++segment) {
    const size_t end = std::min(segment->count, keys.count - index);
    for (size_t i = 0; i < end; ++i) fn(segment->begin + i, index++);
  }
}

#if HWY_TARGET == HWY_SCALAR
template <class V>
HWY_INLINE void store_lane_sums(V a, V b, V c, V e, float* to) {
  to[0] = hn::GetLane(a);
  to[1] = hn::GetLane(b);
  to[2] = hn::GetLane(c);
  to[3] = hn::GetLane(e);
}
#else
// The sum of a vector's parts of four lanes.
template <class D>
HWY_INLINE auto sum_of_blocks(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(d) > 4) {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    return v;
  }
}

// to[i] = sum over the lanes of the i-th vector. Together they take half the steps.
template <class V>
HWY_INLINE void store_lane_sums(V a, V b, V c, V e, float* to) {
  const hn::ScalableTag<float> d;
  const hn::Repartition<double, decltype(d)> d_pairs;
  const auto ab =
      hn::BitCast(d_pairs, hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
  const auto ce =
      hn::BitCast(d_pairs, hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e)));
  const auto sums = hn::Add(hn::BitCast(d, hn::InterleaveLower(d_pairs, ab, ce)),
                            hn::BitCast(d, hn::InterleaveUpper(d_pairs, ab, ce)));
  hn::StoreU(sum_of_blocks(d, sums), hn::FixedTag<float, 4>(), to);
}
#endif

// scores[i] = q k_i of four keys, each in the same way, whatever its place among the four.
HWY_INLINE void four_dots(const float* q, const float* const* k, size_t dim, float* scores) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d), whole = dim / lanes * lanes;
  auto sum_0 = hn::Zero(d), sum_1 = sum_0, sum_2 = sum_0, sum_3 = sum_0;
  const auto add = [&](auto x, const float* k_0, const float* k_1, const float* k_2,
                       const float* k_3) HWY_ATTR {
    sum_0 = hn::MulAdd(x, hn::LoadU(d, k_0), sum_0);
    sum_1 = hn::MulAdd(x, hn::LoadU(d, k_1), sum_1);
    sum_2 = hn::MulAdd(x, hn::LoadU(d, k_2), sum_2);
    sum_3 = hn::MulAdd(x, hn::LoadU(d, k_3), sum_3);
  };
  for (size_t i = 0; i < whole; i += lanes)
    add(hn::LoadU(d, q + i), k[0] + i, k[1] + i, k[2] + i, k[3] + i);
  if (whole < dim) {  // no scalar loop: see weighted_values()
    HWY_ALIGN float rest[5][hn::MaxLanes(d)] = {};
    for (size_t i = 0; i < 5; ++i)
      std::memcpy(rest[i], (i < 4 ? k[i] : q) + whole, (dim - whole) * sizeof(float));
    add(hn::Load(d, rest[4]), rest[0], rest[1], rest[2], rest[3]);
  }
  store_lane_sums(sum_0, sum_1, sum_2, sum_3, scores);
}

// scores[j] = q k_j for each key, and up to three numbers behind them.
HWY_INLINE void key_scores(const QueryKeys& keys, const Rows<const float>& k, size_t column,
                           const float* q, size_t dim, float* scores) {
  const float* four[4] = {};
  for_each_key(keys, [&](size_t row, size_t index) HWY_ATTR {
    four[index % 4] = k.row(row) + column;
    if (index % 4 == 3) four_dots(q, four, dim, scores + index - 3);
  });
  const size_t rest = keys.count % 4;
  if (rest == 0) return;
  std::fill(four + rest, four + 4, four[0]);
  four_dots(q, four, dim, scores + keys.count - rest);
}

// x = exp((x - max) * scale) in place, in whole vectors, which x has room for; returns the sum.
HWY_INLINE float whole_exp(float* x, size_t count, float scale) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d), padded = (count + lanes - 1) / lanes * lanes;
  std::fill(x + count, x + padded, std::numeric_limits<float>::lowest());  // 1e-38 of the sum
  auto most = hn::LoadU(d, x);
  for (size_t i = lanes; i < padded; i += lanes) most = hn::Max(most, hn::LoadU(d, x + i));
  const auto factor = hn::Set(d, scale), shift = hn::Mul(hn::MaxOfLanes(d, most), factor);
  auto sum = hn::Zero(d);
  for (size_t i = 0; i < padded; i += lanes) {
    const auto e = vec_exp(d, hn::MulSub(hn::LoadU(d, x + i), factor, shift));
    hn::StoreU(e, d, x + i);
    sum = hn::Add(sum, e);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// The values of one head, and what their rows count.
struct WeightedValues {
  const Rows<const float>& rows;
  const float* weights;
  float factor;  // of all
};

// out[0, kVectors * lanes) = sum of weights[j] * (column block of value row j): the sums stay in
// registers.
template <size_t kVectors>
HWY_INLINE void weighted_columns(const QueryKeys& keys, const WeightedValues& v, size_t column,
                                 float* out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sums[kVectors];
  for (auto& sum : sums) sum = hn::Zero(d);
  for_each_key(keys, [&](size_t row, size_t index) HWY_ATTR {
    const float* value = v.rows.row(row) + column;
    const auto weight = hn::Set(d, v.weights[index]);
    for (size_t i = 0; i < kVectors; ++i)
      sums[i] = hn::MulAdd(weight, hn::LoadU(d, value + i * lanes), sums[i]);
  });
  const auto factor = hn::Set(d, v.factor);
  for (size_t i = 0; i < kVectors; ++i) hn::StoreU(hn::Mul(sums[i], factor), d, out + i * lanes);
}

HWY_INLINE void weighted_values(const QueryKeys& keys, const WeightedValues& v, size_t column,
                                size_t dim, float* out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 8 * lanes <= dim; i += 8 * lanes) weighted_columns<8>(keys, v, column + i, out + i);
  for (; i + 4 * lanes <= dim; i += 4 * lanes) weighted_columns<4>(keys, v, column + i, out + i);
  for (; i + lanes <= dim; i += lanes) weighted_columns<1>(keys, v, column + i, out + i);
  if (i == dim) return;
  // The last columns: no scalar loop, where the compiler would fuse the products of some keys with
  // their sum and of others not, so that the bits would depend on where a segment ends.
  const size_t rest = dim - i;
  HWY_ALIGN float buffer[hn::MaxLanes(d)] = {};
  auto sum = hn::Zero(d);
  for_each_key(keys, [&](size_t row, size_t index) HWY_ATTR {
    std::memcpy(buffer, v.rows.row(row) + column + i, rest * sizeof(float));
    sum = hn::MulAdd(hn::Set(d, v.weights[index]), hn::Load(d, buffer), sum);
  });
  hn::Store(hn::Mul(sum, hn::Set(d, v.factor)), d, buffer);
  std::memcpy(out + i, buffer, rest * sizeof(float));
}

// Reads ahead what the span that comes next is the first to read: its queries, and its own keys and
// values, which as a rule are its last segment. They come from the third cache.
HWY_INLINE void prefetch_span(const AttentionRows& rows, const SegmentSpan& span,
                              const KeySegment* segments, size_t column, size_t dim) {
  constexpr size_t kLine = 64 / sizeof(float);
  const auto prefetch = [&](const Rows<const float>& from, size_t row) HWY_ATTR {
    const float* start = from.row(row) + column;
    for (size_t i = 0; i < dim; i += kLine) hwy::Prefetch(start + i);
  };
  const KeySegment& own = segments[span.segment_begin + span.segment_count - 1];
  for (size_t i = 0; i < span.query_count; ++i) prefetch(rows.q, span.query_begin + i);
  for (size_t i = own.count - std::min(own.count, span.query_count); i < own.count; ++i) {
    prefetch(rows.k, own.begin + i);
    prefetch(rows.v, own.begin + i);
  }
}

// One head of a span. next: the span that comes after it, or null.
void attend_segments(const AttentionShape& shape, const AttentionRows& rows,
                     const SegmentSpan& span, const SegmentSpan* next, const KeySegment* segments,
                     size_t head, float* scores) {
  const size_t dim = shape.head_dim, column = head * dim;
  if (next != nullptr && next->segment_count > 0) prefetch_span(rows, *next, segments, column, dim);
  for (size_t i = 0; i < span.query_count; ++i) {
    const QueryKeys keys{segments + span.segment_begin, span.key_count - span.query_count + i + 1};
    const float* q = rows.q.row(span.query_begin + i) + column;
    float* out = rows.out.row(span.query_begin + i) + column;
    key_scores(keys, rows.k, column, q, dim, scores);
    const float factor = 1.0f / whole_exp(scores, keys.count, shape.scale);
    weighted_values(keys, {rows.v, scores, factor}, column, dim, out);
  }
}

}  // namespace openclip::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace openclip::kernels {
namespace {
HWY_EXPORT(attend_segments);
}  // namespace

void segment_attention(int threads, const AttentionShape& shape, const AttentionRows& rows,
                       const SegmentSpans& spans, float* scratch) {
  size_t max_keys = 0;
  for (size_t i = 0; i < spans.span_count; ++i)
    max_keys = std::max(max_keys, spans.spans[i].key_count);
  const size_t stride = (max_keys + 15) / 16 * 16;
  current_isa();
  parallel_for(
      threads, spans.span_count * shape.heads, 1, [&](size_t begin, size_t end, int worker) {
        float* own = scratch + static_cast<size_t>(worker) * stride;
        for (size_t unit = begin; unit < end; ++unit) {
          const size_t i = unit / shape.heads;
          const SegmentSpan* next = i + 1 < spans.span_count ? &spans.spans[i + 1] : nullptr;
          HWY_DYNAMIC_DISPATCH(attend_segments)
          (shape, rows, spans.spans[i], next, spans.segments, unit % shape.heads, own);
        }
      });
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
