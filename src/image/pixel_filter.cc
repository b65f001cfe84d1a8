#include "image/pixel_filter.h"

#include <algorithm>
#include <cstring>

#include "kernels/resample.h"

namespace openclip {

static_assert(kWeightBits == kernels::kResampleBits);

void RowPixelFilter::prepare(const WeightTable<int32_t>& table, int first_column, int channels) {
  const size_t lanes = kernels::resample_lanes(), at_once = lanes / 4;
  size_t longest = 0;
  for (const Taps& taps : table.taps) longest = std::max(longest, static_cast<size_t>(taps.count));
  channels_ = static_cast<size_t>(channels);
  steps_ = (longest + at_once - 1) / at_once;
  room_ = steps_ * at_once * channels_ + 16;
  first_.clear();
  weights_.assign(table.taps.size() * steps_ * lanes, 0);
  int32_t* to = weights_.data();
  const int32_t* from = table.weights.data();
  for (const Taps& taps : table.taps) {
    first_.push_back(static_cast<uint32_t>(taps.first - first_column));
    for (int t = 0; t < taps.count; ++t) std::fill_n(to + 4 * t, 4, from[t]);
    to += steps_ * lanes;
    from += table.stride;
  }
}

void RowPixelFilter::run(const uint8_t* in, int columns, uint8_t* out) {
  // Copying the row costs less than 2 % of filtering it, and gives the room in every case.
  const size_t bytes = static_cast<size_t>(columns) * channels_;
  row_.resize(bytes + room_);
  std::memcpy(row_.data(), in, bytes);
  kernels::filter_pixels(row_.data(), channels_,
                         {first_.data(), weights_.data(), first_.size(), steps_}, out);
}

}  // namespace openclip
