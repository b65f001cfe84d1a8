// Byte-pair encoding of one word with merges by rank. Rank 3.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace openclip {

/// The merge rules, on token ids. Filled once, then immutable and thread-safe.
class BpeModel {
 public:
  static constexpr int32_t kNoToken = -1;

  /// `inner[b]` is the token of byte b, `last[b]` that of byte b at the end of a word; kNoToken
  /// where the vocabulary lacks it. `unknown` replaces such bytes, or drops them if kNoToken.
  BpeModel(const std::array<int32_t, 256>& inner, const std::array<int32_t, 256>& last,
           int32_t unknown, size_t merge_count);

  /// Adds the rule left + right -> merged; rules added first are applied first. A pair given twice
  /// keeps its later rule. `merge_count` of the constructor bounds the number of calls.
  void add_merge(int32_t left, int32_t right, int32_t merged);

  /// Appends the tokens of a word given as bytes: starting from single bytes, the pair with the
  /// lowest rank, the leftmost of equals, is merged until no rule applies. O(n log n).
  void encode_word(std::string_view word, std::vector<int32_t>* tokens) const;

 private:
  struct Merge {
    int32_t rank, merged;
  };
  struct Slot {
    uint64_t pair = kEmpty;
    Merge merge{};
  };
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  static uint64_t pair_of(int32_t left, int32_t right);
  size_t slot_of(uint64_t pair) const;
  const Merge* find(int32_t left, int32_t right) const;
  void merge_short(std::vector<int32_t>* symbols) const;
  void merge_long(std::vector<int32_t>* symbols) const;

  std::array<int32_t, 256> inner_, last_;
  int32_t unknown_;
  int32_t next_rank_ = 0;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  int shift_;
};

}  // namespace openclip
