#include "models/towers/key_value_cache.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace openclip {

KeyValueCache::KeyValueCache(int64_t blocks, int64_t sequences, int64_t capacity, int64_t width)
    : capacity_(capacity), width_(width), lengths_(static_cast<size_t>(sequences), 0) {
  for (int64_t i = 0; i < blocks; ++i) blocks_.emplace_back(Shape{sequences * capacity, 2 * width});
}

ConstMatrix KeyValueCache::block(int64_t block) const {
  return blocks_[static_cast<size_t>(block)].matrix();
}

void KeyValueCache::store(int64_t block, std::span<const int64_t> sequences, ConstMatrix rows) {
  float* data = blocks_[static_cast<size_t>(block)].data();
  for (size_t i = 0; i < sequences.size(); ++i) {
    const int64_t at = length(sequences[i]);
    check_arg(at < capacity_, "[key_value_cache] a sequence has more than {} tokens", capacity_);
    std::memcpy(data + (first_row(sequences[i]) + at) * 2 * width_,
                rows.row(static_cast<int64_t>(i)), sizeof(float) * static_cast<size_t>(2 * width_));
  }
}

std::vector<AttentionSpan> KeyValueCache::spans(std::span<const int64_t> sequences,
                                                const std::vector<bool>& sees_itself) const {
  std::vector<AttentionSpan> out;
  for (size_t i = 0; i < sequences.size(); ++i)
    out.push_back({i, 1, static_cast<size_t>(first_row(sequences[i])),
                   static_cast<size_t>(length(sequences[i]) + (sees_itself[i] ? 1 : 0))});
  return out;
}

void KeyValueCache::advance(std::span<const int64_t> sequences, const std::vector<bool>& keep) {
  for (size_t i = 0; i < sequences.size(); ++i)
    if (keep[i]) ++lengths_[static_cast<size_t>(sequences[i])];
}

void KeyValueCache::reorder(std::span<const int64_t> parents) {
  const auto is_parent_of_itself = [&](size_t i) { return parents[i] == static_cast<int64_t>(i); };
  std::vector<size_t> moved;
  for (size_t i = 0; i < parents.size(); ++i)
    if (!is_parent_of_itself(i)) moved.push_back(i);
  if (moved.empty()) return;
  const auto floats = static_cast<size_t>(capacity_ * 2 * width_);
  std::vector<float> copies(moved.size() * floats);
  for (Tensor& block : blocks_) {
    const auto used = [&](size_t i) {
      return sizeof(float) * static_cast<size_t>(length(parents[i]) * 2 * width_);
    };
    for (size_t m = 0; m < moved.size(); ++m)
      std::memcpy(&copies[m * floats], block.data() + first_row(parents[moved[m]]) * 2 * width_,
                  used(moved[m]));
    for (size_t m = 0; m < moved.size(); ++m)
      std::memcpy(block.data() + first_row(static_cast<int64_t>(moved[m])) * 2 * width_,
                  &copies[m * floats], used(moved[m]));
  }
  const std::vector<int64_t> old = lengths_;
  for (const size_t i : moved) lengths_[i] = old[static_cast<size_t>(parents[i])];
}

}  // namespace openclip
