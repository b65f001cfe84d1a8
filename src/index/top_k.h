// The best of many scores. Rank 4.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/exact_search.h"

namespace openclip {

/// Order of results: larger scores first, then lower slots.
inline bool better(const SlotHit& a, const SlotHit& b) {
  return a.score != b.score ? a.score > b.score : a.slot < b.slot;
}

/// Keeps the k best of the hits it is given. NaN is never kept.
class TopK {
 public:
  explicit TopK(size_t k) : k_(k) { hits_.reserve(std::min<size_t>(k, 4096)); }

  /// Scores that do not exceed it cannot get in, provided that slots come in ascending order.
  float limit() const {
    if (k_ == 0) return std::numeric_limits<float>::infinity();
    return hits_.size() < k_ ? -std::numeric_limits<float>::infinity() : hits_.front().score;
  }

  void add(const SlotHit& hit) {
    if (hits_.size() < k_) {
      hits_.push_back(hit);
      std::push_heap(hits_.begin(), hits_.end(), better);  // the worst is in front
    } else if (k_ > 0 && better(hit, hits_.front())) {
      std::pop_heap(hits_.begin(), hits_.end(), better);
      hits_.back() = hit;
      std::push_heap(hits_.begin(), hits_.end(), better);
    }
  }

  const std::vector<SlotHit>& hits() const { return hits_; }

  /// Best first; leaves it empty.
  std::vector<SlotHit> take() {
    std::sort(hits_.begin(), hits_.end(), better);
    return std::move(hits_);
  }

 private:
  size_t k_;
  std::vector<SlotHit> hits_;  // a heap
};

}  // namespace openclip
