// Small text files that may be compressed. Rank 3.
#pragma once

#include <cstddef>
#include <string>

namespace openclip {

/// The content of a file, unpacked if it is gzip.
/// Throws: NotFound, IoError, ParseError if the compressed data is damaged or unpacks to more than
/// `max_bytes`.
std::string read_maybe_gzip(const std::string& path, size_t max_bytes);

}  // namespace openclip
