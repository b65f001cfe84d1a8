// Text in bytes, and the blanks around it. Rank 0.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace openclip {

/// The same bytes as text; they must outlive it.
inline std::string_view as_text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// `text` without blanks, tabs and line ends around it; a part of the same text.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// With A to Z as a to z; other bytes stay.
inline std::string ascii_lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace openclip
