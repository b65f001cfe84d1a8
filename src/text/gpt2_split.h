// GPT-2's splitting of a text into words, as RoBERTa has it too. Rank 3.
#pragma once

#include <cstddef>
#include <string_view>

namespace openclip {

/// The match at `*position` (before the end) of
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// in valid UTF-8, which always has one; moves `*position` past it.
/// Source: tokenizers 0.22, pre_tokenizers/byte_level.rs.
std::string_view next_gpt2_word(std::string_view text, size_t* position);

}  // namespace openclip
