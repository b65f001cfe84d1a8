#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

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

std::optional<FileLock> FileLock::try_lock(const std::string& path) {
  while (true) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0664);
    if (fd < 0) throw IoError(fmt::format("{}: cannot lock: {}", path, std::strerror(errno)));
    FileLock lock(fd, ::flock(fd, LOCK_EX | LOCK_NB) == 0);
    if (!lock.held_) {
      const bool busy = errno == EWOULDBLOCK || errno == EINTR || errno == EACCES;
      return busy ? std::nullopt : std::optional(std::move(lock));
    }
    if (still_there(fd, path)) return lock;
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), held_(std::exchange(other.held_, false)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(held_, other.held_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace openclip
