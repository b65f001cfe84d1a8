// Whether an index is in order. Rank 4.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace openclip {

/// Compares every item of the index in a folder with its vector: the slot exists, belongs to it and
/// to no other item, and its checksum is right. Tells each fault in one line; returns how many
/// there are. Reads the whole file. Throws: as open_index.
int64_t check_index(const std::string& folder,
                    const std::function<void(const std::string& fault)>& tell);

}  // namespace openclip
