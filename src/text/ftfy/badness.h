// The test that decides whether text looks like mojibake. Rank 3.
#pragma once

#include <string_view>

namespace openclip::ftfy {

/// Whether any sequence of characters occurs that is far likelier as mojibake than on purpose.
/// Source: ftfy.badness.is_bad.
bool is_bad(std::u32string_view text);

}  // namespace openclip::ftfy
