// What both kinds of index ask of the vectors that they are given. Rank 4.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "index/index.h"

namespace openclip {

/// Throws: InvalidArgument if vectors of `wanted` cannot join those of `has`; name: of the index.
void check_space(const std::string& name, const IndexSpace& has, const IndexSpace& wanted);

/// The vector scaled to length 1. Throws: InvalidArgument if it has another size than `dim` or
/// numbers that are not finite.
std::vector<float> unit_vector(std::span<const float> vector, int64_t dim);

}  // namespace openclip
