// Suggestions for mistyped names. Rank 0.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// Fewest insertions, deletions and replacements of bytes that turn `a` into `b`.
size_t edit_distance(std::string_view a, std::string_view b);

/// The `count` names that are nearest to `name` (case ignored), nearest first; ties keep the order
/// of `names`.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& names,
                                       size_t count);

}  // namespace openclip
