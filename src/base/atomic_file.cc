#include "base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"

namespace openclip {
namespace {

bool is_special(const std::string& path) {
  std::error_code ec;
  const auto type = std::filesystem::status(path, ec).type();
  return type == std::filesystem::file_type::character || type == std::filesystem::file_type::fifo;
}

// Two threads may write the same path at once; the later commit wins, whole.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}.tmp{}-{}", path, ::getpid(), counter.fetch_add(1));
}

[[noreturn]] void fail(const std::string& path, int error) {
  throw IoError(fmt::format("{}: cannot write: {}", path,
                            error != 0 ? std::strerror(error) : "output failed"));
}

void flush_to_disk(const std::string& target, const std::string& shown) {
  const int fd = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) fail(shown, errno);
  const bool ok = ::fsync(fd) == 0 || errno == EINVAL;  // EINVAL: no sync on this kind of file
  const int error = errno;
  ::close(fd);
  if (!ok) fail(shown, error);
}

}  // namespace

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), target_(is_special(path_) ? path_ : temporary_name(path_)) {
  errno = 0;
  out_.open(target_, std::ios::binary | std::ios::trunc);
  if (!out_) fail(path_, errno);
}

AtomicFile::~AtomicFile() {
  if (committed_ || target_ == path_) return;
  out_.close();
  ::unlink(target_.c_str());
}

void AtomicFile::check() {
  if (!out_) fail(path_, errno);
}

void AtomicFile::commit() {
  check();
  errno = 0;
  out_.flush();
  const int error = errno;
  const bool flushed = static_cast<bool>(out_);
  out_.close();
  if (!flushed || out_.fail()) fail(path_, error);
  if (target_ != path_) {
    flush_to_disk(target_, path_);
    if (std::rename(target_.c_str(), path_.c_str()) != 0) fail(path_, errno);
  }
  committed_ = true;
}

}  // namespace openclip
