// One process at a time. Rank 0.
#pragma once

#include <optional>
#include <string>

namespace openclip {

/// Holds flock(2) on a file (created, and left there) until destruction, as Python's filelock does,
/// so that both wait for each other. Released by the system if the process dies.
class FileLock {
 public:
  /// nullopt while another holds it. Throws: IoError if the file cannot be made or opened.
  static std::optional<FileLock> try_lock(const std::string& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  /// False on file systems that know no locks: others may be at work as well.
  bool held() const { return held_; }

 private:
  FileLock(int fd, bool held) : fd_(fd), held_(held) {}

  int fd_ = -1;
  bool held_ = false;
};

}  // namespace openclip
