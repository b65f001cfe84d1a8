// One process at a time. Rank 3.
#pragma once

#include <string>

#include "io/http/download_observer.h"

namespace openclip {

/// Holds flock(2) on `path` (created, and left there) until destruction, as Python's filelock does,
/// so that both wait for each other. Released by the system if the process dies.
class FileLock {
 public:
  /// Waits for as long as another holds it. Throws: IoError, Cancelled.
  FileLock(const std::string& path, DownloadObserver& observer);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  /// False on file systems that know no locks; there the caller must not share files.
  bool held() const { return held_; }

 private:
  bool try_lock(const std::string& path);
  int fd_ = -1;
  bool held_ = false;
};

}  // namespace openclip
