// Byte-pair encoding of one word with merges by rank. Rank 3.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "text/subword_model.h"
#include "text/token_table.h"

namespace openclip {

/// The merge rules, on token ids. Filled once, then immutable and thread-safe.
class BpeMerges {
 public:
  /// `merge_count` bounds the number of rules.
  explicit BpeMerges(size_t merge_count);

  /// Adds the rule left + right -> merged; rules added first are applied first. A pair given twice
  /// keeps its later rule.
  void add(int32_t left, int32_t right, int32_t merged);

  /// The pair with the lowest rank, the leftmost of equals, is merged until no rule applies.
  /// O(n log n).
  void apply(std::vector<int32_t>* symbols) const;

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

  int32_t next_rank_ = 0;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  int shift_;
};

/// Words as bytes. Filled once, then immutable and thread-safe.
class BpeModel : public SubwordModel {
 public:
  static constexpr int32_t kNoToken = -1;

  /// `inner[b]` is the token of byte b, `last[b]` that of byte b at the end of a word; kNoToken
  /// where the vocabulary lacks it. `unknown` replaces such bytes, or drops them if kNoToken.
  BpeModel(const std::array<int32_t, 256>& inner, const std::array<int32_t, 256>& last,
           int32_t unknown, size_t merge_count);

  /// See BpeMerges.
  void add_merge(int32_t left, int32_t right, int32_t merged) { merges_.add(left, right, merged); }

  /// Appends the tokens of a word given as bytes: its single bytes, merged.
  void encode_word(std::string_view word, std::vector<int32_t>* tokens) const override;

 private:
  std::array<int32_t, 256> inner_, last_;
  int32_t unknown_;
  BpeMerges merges_;
};

/// Words as characters, as in vocabularies made by sentencepiece.
/// Source: tokenizers 0.22, BPE::merge_word.
class CharacterBpe : public SubwordModel {
 public:
  struct Options {
    int32_t unknown = BpeModel::kNoToken;  // of characters without a token; kNoToken: drops them
    bool fuse_unknown = false;             // neighbours of that kind give one
    bool byte_fallback = false;            // before that: tokens <0x00> to <0xFF> of their bytes
  };
  CharacterBpe(std::shared_ptr<const TokenTable> tokens, BpeMerges merges, Options options);

  void encode_word(std::string_view word, std::vector<int32_t>* ids) const override;

 private:
  std::shared_ptr<const TokenTable> tokens_;
  BpeMerges merges_;
  Options options_;
};

}  // namespace openclip
