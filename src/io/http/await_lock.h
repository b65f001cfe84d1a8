// Waiting for another process that downloads the same file. Rank 3.
#pragma once

#include <string>

#include "base/file_lock.h"
#include "io/http/download_observer.h"

namespace openclip {

/// Waits for as long as another holds the lock on `path`, and tells the observer so once. Where it
/// is not held() the file system knows no locks, and the caller must not share files.
/// Throws: IoError, Cancelled.
FileLock await_lock(const std::string& path, DownloadObserver& observer);

}  // namespace openclip
