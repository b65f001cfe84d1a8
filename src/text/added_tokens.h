// Finding the added tokens of a tokenizer in a text. Rank 3.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "text/hf_definition.h"

namespace openclip {

/// Calls `piece` on the text between the tokens, `token` on the ids of these, in order; both return
/// whether to go on. Of tokens at one place the longest counts (the list is longest first).
/// Source: tokenizers 0.22, AddedVocabulary::find_matches.
bool split_added_tokens(const std::vector<AddedToken>& tokens, std::string_view text,
                        const std::function<bool(std::string_view)>& piece,
                        const std::function<bool(int32_t)>& token);

}  // namespace openclip
