// Python's ftfy.fix_text (6.3.1, default options), which open_clip runs over every text. Rank 3.
#pragma once

#include <string>
#include <string_view>

namespace openclip::ftfy {

/// Line by line: decodes HTML references (until a line with '<' is met, which is taken for HTML),
/// repairs mojibake, replaces C1 controls, Latin ligatures, full-width forms and curly quotes,
/// unifies line breaks, removes terminal escapes and control characters, and composes (NFC); again
/// and again until nothing changes, at most 64 times (ftfy has no bound).
/// Input must be free of surrogates, as decode_utf8 gives it.
std::u32string fix_text(std::u32string_view text);

}  // namespace openclip::ftfy
