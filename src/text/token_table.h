// The tokens of a vocabulary, by their text and by their id. Rank 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// Texts back to back in one block and an index over them, as vocabularies of 900,000 tokens must
/// load in a moment. Filled once, then immutable and thread-safe.
class TokenTable {
 public:
  static constexpr int32_t kNoToken = -1;

  /// `tokens` to come, of about `bytes` in all; a hint.
  void reserve(size_t tokens, size_t bytes);

  /// Ids are natural numbers below 2^22. A token that is there already gets the new id too; an id
  /// given twice keeps its later text.
  void add(std::string_view token, int32_t id);

  int32_t find(std::string_view token) const;

  /// Empty for ids that are not there.
  std::string_view token(int32_t id) const;

  /// One more than the largest id.
  int32_t size() const { return static_cast<int32_t>(by_id_.size()); }

  /// Bytes of the longest token.
  size_t longest() const { return longest_; }

 private:
  struct Slot {
    uint32_t begin = 0, bytes = 0;  // in text_; a token is never empty, so 0 bytes = free
    int32_t id = kNoToken;
  };

  std::string_view text_of(const Slot& slot) const {
    return std::string_view(text_).substr(slot.begin, slot.bytes);
  }
  size_t slot_of(std::string_view token) const;
  void grow(size_t tokens);

  std::string text_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::vector<std::pair<uint32_t, uint32_t>> by_id_;
  size_t count_ = 0, longest_ = 0;
};

}  // namespace openclip
