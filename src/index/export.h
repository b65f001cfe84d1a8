// An index for programs that use FAISS. Rank 4.
#pragma once

#include <cstdint>
#include <string>

namespace openclip {

/// Writes all vectors of the index, as f32, with their ids as a FAISS file (IndexIDMap2 of
/// IndexFlatIP). Returns how many. Throws: as open_index; IoError.
int64_t export_faiss(const std::string& place, const std::string& path);

}  // namespace openclip
