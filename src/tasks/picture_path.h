// Pictures by the paths that indexes keep. Rank 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace openclip {

/// Bytes of the file `path`, or of the member that "ARCHIVE/MEMBER" names in a tar archive.
/// Throws: NotFound, IoError; ParseError for an archive that cannot be read and for files of more
/// than max_bytes.
std::vector<uint8_t> read_picture_path(const std::string& path, size_t max_bytes);

}  // namespace openclip
