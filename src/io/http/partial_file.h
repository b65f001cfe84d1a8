// A file that grows over several attempts and processes. Rank 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace openclip {

/// Appends to `path`, which stays unless it is empty or removed: what one process fetched, the next
/// goes on from. Not thread-safe; two writers of one path need await_lock.
class PartialFile {
 public:
  /// Creates or opens. Throws: IoError.
  explicit PartialFile(std::string path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

  /// Throws: IoError, e.g. disk full.
  void append(std::string_view bytes);
  void clear();
  void remove();

  /// Flushes to disk and renames to `target`. Throws: IoError.
  void finish(const std::string& target);

 private:
  [[noreturn]] void fail(int error) const;
  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool finished_ = false;
};

/// Creates a folder and those above it. Throws: IoError saying which variable moves the cache.
void make_cache_folder(const std::string& folder);

/// Bytes that an ordinary user may still write in `folder`.
uint64_t free_disk_bytes(const std::string& folder);

}  // namespace openclip
