#include "io/http/await_lock.h"

#include <utility>

namespace openclip {

FileLock await_lock(const std::string& path, DownloadObserver& observer) {
  for (bool told = false;; told = true) {
    if (std::optional<FileLock> lock = FileLock::try_lock(path)) return std::move(*lock);
    if (!told) observer.note("another process is fetching this file; waiting for it");
    sleep_watching(observer, 0.1);
  }
}

}  // namespace openclip
