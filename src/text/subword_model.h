// What cuts a word into the tokens of a vocabulary. Rank 3.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace openclip {

/// Immutable and thread-safe.
class SubwordModel {
 public:
  virtual ~SubwordModel() = default;

  /// Appends the tokens of `word`, which is not empty and valid UTF-8.
  virtual void encode_word(std::string_view word, std::vector<int32_t>* ids) const = 0;
};

}  // namespace openclip
