#include "io/http/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace openclip {
namespace {

// A lock on a file that was unlinked meanwhile keeps nobody out.
bool still_there(int fd, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

FileLock::FileLock(const std::string& path, DownloadObserver& observer) {
  for (bool told = false; !try_lock(path); told = true) {
    if (!told) observer.note("another process is fetching this file; waiting for it");
    sleep_watching(observer, 0.1);
  }
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

// Whether there is nothing left to wait for.
bool FileLock::try_lock(const std::string& path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0664);
  if (fd_ < 0) throw IoError(fmt::format("{}: cannot lock: {}", path, std::strerror(errno)));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    held_ = still_there(fd_, path);
    if (held_) return true;
  } else if (errno != EWOULDBLOCK && errno != EINTR && errno != EACCES) {
    return true;
  }
  ::close(fd_);
  fd_ = -1;
  return false;
}

}  // namespace openclip
