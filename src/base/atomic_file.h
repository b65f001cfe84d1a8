// A file that appears only when it is complete. Rank 0.
#pragma once

#include <fstream>
#include <ostream>
#include <string>

namespace openclip {

/// Streams into a temporary beside `path`; commit() flushes it to disk and renames it to `path`.
/// Without commit() the destructor removes the temporary, and `path` is as it was. Devices and
/// pipes cannot be renamed over and are written in place. Not thread-safe.
class AtomicFile {
 public:
  /// Throws: IoError naming the path and the reason (permission, missing folder).
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  std::ostream& stream() { return out_; }
  const std::string& path() const { return path_; }

  /// Throws: IoError if anything written so far failed (disk full), or the rename did.
  void commit();

  /// Throws IoError if a write failed already; long writers call this to stop early.
  void check();

 private:
  std::string path_;
  std::string target_;  // what is written: the temporary, or path_ itself for devices
  std::ofstream out_;
  bool committed_ = false;
};

}  // namespace openclip
