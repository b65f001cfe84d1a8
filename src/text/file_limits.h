// How large a tokenizer's files may be. Part of rank 3.
#pragma once

#include <cstddef>

namespace openclip {

/// Vocabularies, merges and settings.
inline constexpr size_t kMaxTokenizerFileBytes = size_t{64} << 20;

/// tokenizer.json, which holds all of these.
inline constexpr size_t kMaxTokenizerJsonBytes = size_t{256} << 20;

}  // namespace openclip
