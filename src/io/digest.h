// Checksums of files and of bytes. Rank 3.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace openclip {

/// Called between pieces of a long file; may throw to stop.
using DigestTick = std::function<void()>;

/// SHA-256 of a file, as 64 lower-case hexadecimal digits.
/// Throws: NotFound, IoError; what `tick` throws.
std::string file_sha256(const std::string& path, const DigestTick& tick = {});

/// The same of bytes in memory.
std::string bytes_sha256(std::span<const uint8_t> bytes);

/// Git's name of a file: SHA-1 of "blob SIZE\0" and its bytes, as 40 digits. Same errors.
std::string file_git_sha1(const std::string& path, const DigestTick& tick = {});

}  // namespace openclip
