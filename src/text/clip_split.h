// CLIP's splitting of a cleaned text into words. Rank 3.
#pragma once

#include <cstddef>
#include <string_view>

namespace openclip {

struct ClipSplitOptions {
  /// Contractions match in any case, the long s included ("'ſ" is "'s"), as with regex.IGNORECASE.
  bool ignore_case = true;
  /// "<start_of_text>" and "<end_of_text>" are words of their own.
  bool specials = true;
};

/// The first match at or after `*position` of
///   <start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
/// in valid UTF-8; moves `*position` past it. Empty at the end of the text.
/// Source: open_clip tokenizer.py, SimpleTokenizer.pat.
std::string_view next_clip_word(std::string_view text, size_t* position,
                                const ClipSplitOptions& options = {});

}  // namespace openclip
