// Keys and values of the tokens that a causal transformer has seen. Part of rank 4.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/attention.h"
#include "tensor/tensor.h"

namespace openclip {

/// For each block and each of `sequences` sequences up to `capacity` rows [keys | values]. One more
/// row is stored for every block of a token, then kept by advance(). For one thread at a time.
class KeyValueCache {
 public:
  KeyValueCache(int64_t blocks, int64_t sequences, int64_t capacity, int64_t width);

  int64_t length(int64_t sequence) const { return lengths_[static_cast<size_t>(sequence)]; }

  /// Puts rows[i] behind what sequence sequences[i] has in `block`. rows: [n, 2 * width].
  /// Throws: InvalidArgument where a sequence is full.
  void store(int64_t block, std::span<const int64_t> sequences, ConstMatrix rows);

  /// All rows of `block`, of which spans() names those of a sequence.
  ConstMatrix block(int64_t block) const;

  /// Query i sees the kept rows of sequences[i], and the stored one where sees_itself[i].
  std::vector<AttentionSpan> spans(std::span<const int64_t> sequences,
                                   const std::vector<bool>& sees_itself) const;

  /// Keeps the stored rows of the sequences where keep[i]; the others are forgotten.
  void advance(std::span<const int64_t> sequences, const std::vector<bool>& keep);

  /// Sequence i goes on as sequence parents[i] was.
  void reorder(std::span<const int64_t> parents);

 private:
  int64_t first_row(int64_t sequence) const { return sequence * capacity_; }

  int64_t capacity_, width_;
  std::vector<Tensor> blocks_;  // [sequences * capacity, 2 * width] each
  std::vector<int64_t> lengths_;
};

}  // namespace openclip
