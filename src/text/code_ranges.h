// Sets of code points as sorted ranges: the form of the generated tables. Rank 3.
#pragma once

#include <algorithm>
#include <iterator>

namespace openclip {

/// Code points low to high, both included.
struct CodeRange {
  char32_t low, high;
};

/// Whether one of the ranges, which are sorted and apart, holds the code point.
template <size_t n>
bool contains(const CodeRange (&ranges)[n], char32_t code) {
  const auto* next = std::upper_bound(std::begin(ranges), std::end(ranges), code,
                                      [](char32_t c, const CodeRange& r) { return c < r.low; });
  return next != std::begin(ranges) && code <= std::prev(next)->high;
}

}  // namespace openclip
