// Read-only memory mapping of a regular file. Rank 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace openclip {

/// Maps `path` for reading; pages are loaded on first touch. Movable, not copyable.
/// Throws: NotFound if it does not exist, IoError if it is no regular file or cannot be mapped.
/// An empty file maps to an empty span.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

  /// Gives the memory of a part back that is not needed for now; reading it again is allowed and
  /// brings it back. Parts outside of the file, and pages shared with their neighbours, stay.
  void drop_pages(std::span<const uint8_t> part) const noexcept;

  /// The file will be read here and there: what is not in memory yet may come in large pages, so
  /// that an access far from the last one seldom waits for page tables. A wish; nothing fails.
  void expect_scattered_reads() const noexcept;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace openclip
