#include "io/http/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include "base/error.h"

namespace openclip {

PartialFile::PartialFile(std::string path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) fail(errno);
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    throw IoError(path_ + ": is no regular file; remove it");
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

PartialFile::~PartialFile() {
  ::close(fd_);
  if (size_ == 0 && !finished_) remove();
}

void PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    size_ += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void PartialFile::clear() {
  if (::ftruncate(fd_, 0) != 0) fail(errno);
  size_ = 0;
}

void PartialFile::remove() { ::unlink(path_.c_str()); }

void PartialFile::finish(const std::string& target) {
  if (::fsync(fd_) != 0 && errno != EINVAL) fail(errno);
  if (std::rename(path_.c_str(), target.c_str()) != 0) fail(errno);
  finished_ = true;
}

void PartialFile::fail(int error) const {
  throw IoError(fmt::format("{}: cannot write: {}", path_, std::strerror(error)));
}

void make_cache_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw IoError(fmt::format("{}: cannot be created: {}; HF_HUB_CACHE or HF_HOME moves the cache",
                              folder, error.message()));
}

uint64_t free_disk_bytes(const std::string& folder) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) return std::numeric_limits<uint64_t>::max();
  return uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace openclip
