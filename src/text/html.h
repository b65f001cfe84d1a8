// HTML character references, as Python's html.unescape and ftfy read them. Rank 3.
#pragma once

#include <string>
#include <string_view>

namespace openclip {

/// Python's html.unescape: named references of HTML 5 (the old ones also without semicolon, and as
/// prefixes of longer words), decimal and hexadecimal ones with HTML 5's corrections.
std::u32string html_unescape(std::u32string_view text);

/// ftfy's careful variant: only references that end in a semicolon, and names in capitals
/// ("&EACUTE;") where these are no HTML.
std::u32string unescape_unambiguous(std::u32string_view text);

}  // namespace openclip
