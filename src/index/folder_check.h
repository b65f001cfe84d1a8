// Whether the folder of an index is in order. Rank 4.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace openclip {

/// Compares every item with its vector: the slot exists, belongs to it and to no other item, and
/// its checksum is right. Reads the whole file. As check_index.
int64_t check_folder(const std::string& folder,
                     const std::function<void(const std::string& fault)>& tell);

}  // namespace openclip
