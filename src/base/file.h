// Whole-file reading with a size limit, and writing that is all or nothing. Rank 0.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace openclip {

/// Whether there is a regular file (a folder) at `path`, also through links; false for what cannot
/// be looked at.
bool is_file(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);

/// Reads a regular file of at most `max_bytes`.
/// Throws: NotFound, or IoError for directories, unreadable files and larger files.
std::vector<uint8_t> read_file(const std::string& path, size_t max_bytes);

/// As read_file, as text.
std::string read_text_file(const std::string& path, size_t max_bytes);

/// Writes a file atomically: fills a temporary beside `path`, flushes it to disk and renames it.
/// On any failure (also from `fill`) the temporary is removed and `path` is as it was.
/// Throws: IoError naming the path and the reason (permission, disk full).
void write_file_atomic(const std::string& path, const std::function<void(std::ostream&)>& fill);

/// Writes `bytes` atomically.
void write_file_atomic(const std::string& path, std::string_view bytes);

/// Lets the system forget what it holds of a file that is on disk, so that its next reader gets it
/// in larger pages than those in which it was written. A wish; nothing fails.
void forget_cached_pages(const std::string& path) noexcept;

}  // namespace openclip
