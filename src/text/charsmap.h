// The replacement rules that a sentencepiece model carries (precompiled_charsmap). Rank 3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// A trie of texts (darts-clone's double array) and what each becomes; NFKC and more in the models
/// at hand. Applied as `tokenizers` applies it, which is not as sentencepiece does: the shortest
/// match of a whole grapheme of less than 6 bytes replaces all of it, other characters go one by
/// one. Immutable and thread-safe.
/// Source: tokenizers 0.22, normalizers/precompiled.rs; sentencepiece, normalizer.cc.
class Charsmap {
 public:
  /// Bytes: size of the trie (u32), the trie's units (u32 each, little endian), texts that end
  /// with a zero byte. Throws: ParseError, naming `source`.
  Charsmap(const std::string& source, std::string_view bytes);

  /// UTF-8 in and out.
  std::string apply(std::string_view text) const;

 private:
  std::optional<std::string_view> replacement(std::string_view text) const;

  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace openclip
