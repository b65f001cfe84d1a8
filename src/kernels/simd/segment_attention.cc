// Attention over keys in pieces. Branches of a prefix tree are a few tokens long, so that packing
// their keys for a matrix product would cost more than the product: queries go one by one.
#include "kernels/segment_attention.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/segment_attention.cc"
#include <hwy/foreach_target.h>
// Order matters: foreach_target.h first.
#include <hwy/highway.h>

#include "kernels/simd/rows-inl.h"

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

// out[0, kVectors * lanes) = sum of weights[j] * (column block of value row j): the sums stay in
// registers.
template <size_t kVectors>
HWY_INLINE void weighted_columns(const QueryKeys& keys, const Rows<const float>& v, size_t column,
                                 const float* weights, float* out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sums[kVectors];
  for (auto& sum : sums) sum = hn::Zero(d);
  for_each_key(keys, [&](size_t row, size_t index) HWY_ATTR {
    const float* value = v.row(row) + column;
    const auto weight = hn::Set(d, weights[index]);
    for (size_t i = 0; i < kVectors; ++i)
      sums[i] = hn::MulAdd(weight, hn::LoadU(d, value + i * lanes), sums[i]);
  });
  for (size_t i = 0; i < kVectors; ++i) hn::StoreU(sums[i], d, out + i * lanes);
}

HWY_INLINE void weighted_values(const QueryKeys& keys, const Rows<const float>& v, size_t column,
                                size_t dim, const float* weights, float* out) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 4 * lanes <= dim; i += 4 * lanes)
    weighted_columns<4>(keys, v, column + i, weights, out + i);
  for (; i + lanes <= dim; i += lanes) weighted_columns<1>(keys, v, column + i, weights, out + i);
  if (i == dim) return;
  // The last columns: no scalar loop, where the compiler would fuse the products of some keys with
  // their sum and of others not, so that the bits would depend on where a segment ends.
  const size_t rest = dim - i;
  HWY_ALIGN float buffer[hn::MaxLanes(d)] = {};
  auto sum = hn::Zero(d);
  for_each_key(keys, [&](size_t row, size_t index) HWY_ATTR {
    std::memcpy(buffer, v.row(row) + column + i, rest * sizeof(float));
    sum = hn::MulAdd(hn::Set(d, weights[index]), hn::Load(d, buffer), sum);
  });
  hn::Store(sum, d, buffer);
  std::memcpy(out + i, buffer, rest * sizeof(float));
}

void attend_segments(const AttentionShape& shape, const AttentionRows& rows,
                     const SegmentSpan& span, const KeySegment* segments, size_t head,
                     float* scores) {
  const size_t dim = shape.head_dim, column = head * dim;
  for (size_t i = 0; i < span.query_count; ++i) {
    const QueryKeys keys{segments + span.segment_begin, span.key_count - span.query_count + i + 1};
    const float* q = rows.q.row(span.query_begin + i) + column;
    float* out = rows.out.row(span.query_begin + i) + column;
    for_each_key(keys, [&](size_t row, size_t index)
                           HWY_ATTR { scores[index] = row_dot(q, rows.k.row(row) + column, dim); });
    const float factor = 1.0f / row_exp(scores, keys.count, shape.scale);
    weighted_values(keys, rows.v, column, dim, scores, out);
    row_scale(out, dim, factor);
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
        for (size_t unit = begin; unit < end; ++unit) HWY_DYNAMIC_DISPATCH(attend_segments)
        (shape, rows, spans.spans[unit / shape.heads], spans.segments, unit % shape.heads, own);
      });
}

}  // namespace openclip::kernels
#endif  // HWY_ONCE
