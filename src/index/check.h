// Whether an index is in order. Rank 4.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace openclip {

/// Compares every item of the index with its vector. Tells each fault in one line; returns how many
/// there are. Reads all of it. Throws: as open_index.
int64_t check_index(const std::string& place,
                    const std::function<void(const std::string& fault)>& tell);

}  // namespace openclip
