// The nearest vectors of a file, found by looking at all of them. Rank 4.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/context.h"
#include "index/vector_file.h"

namespace openclip {

/// Some slots of a file.
class SlotSet {
 public:
  explicit SlotSet(uint64_t slots = 0, bool all = false);

  bool has(uint64_t slot) const { return (words_[slot / 64] >> (slot % 64) & 1) != 0; }
  /// Whether any of the 64 slots from `64 * word` on is there.
  bool any_of_word(uint64_t word) const { return word < words_.size() && words_[word] != 0; }
  void add(uint64_t slot) { words_[slot / 64] |= uint64_t{1} << (slot % 64); }
  void remove(uint64_t slot) { words_[slot / 64] &= ~(uint64_t{1} << (slot % 64)); }
  void keep_only(const SlotSet& other);  // of the same size
  uint64_t count() const;
  uint64_t slots() const { return slots_; }

 private:
  uint64_t slots_;
  std::vector<uint64_t> words_;
};

struct SlotHit {
  uint64_t slot = 0;
  float score = 0;
};

/// The k slots with the largest inner products, for each query, best first; equal scores in the
/// order of the slots. queries: [n, dim]. first: slots before it are passed over. allowed: which
/// slots may be found, one for each of the file; null = all. first: slots before it are not looked
/// at. Results do not depend on the number of threads. Takes time in proportion to slots * dim * n
/// and reads the file once for every 128 queries.
std::vector<std::vector<SlotHit>> exact_search(const Context& context, const VectorFile& file,
                                               std::span<const float> queries, size_t k,
                                               const SlotSet* allowed = nullptr,
                                               uint64_t first = 0);

}  // namespace openclip
