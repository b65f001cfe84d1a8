// The folder of an index for programs that use FAISS. Rank 4.
#pragma once

#include <cstdint>
#include <string>

namespace openclip {

/// As export_faiss.
int64_t export_folder_faiss(const std::string& folder, const std::string& path);

}  // namespace openclip
