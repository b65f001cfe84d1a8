// Cleaning of a text before it is split into tokens, as open_clip does it. Rank 3.
#pragma once

#include <string>
#include <string_view>

namespace openclip {

/// lower: CLIP's own. whitespace: the same without lower-casing, for Hugging Face tokenizers.
/// canonicalize: SigLIP's; '_' becomes a space, ASCII punctuation goes, lower case.
enum class CleanMode { lower, whitespace, canonicalize };

/// ftfy.fix_text, html.unescape twice, strip, then what the mode says; UTF-8 in and out. Bytes that
/// are not UTF-8 become U+FFFD first.
/// Source: open_clip 3.3.0 tokenizer.py, _clean_lower, _clean_whitespace, _clean_canonicalize.
std::string clean_text(std::string_view text, CleanMode mode);

}  // namespace openclip
