#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace openclip {
namespace {

// Opens for reading and returns the size; refuses what is not a regular file.
std::ifstream open_regular(const std::string& path, size_t max_bytes, size_t* size) {
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  if (status.type() == std::filesystem::file_type::not_found)
    throw NotFound(fmt::format("{}: no such file; check the path", path));
  if (status.type() == std::filesystem::file_type::directory)
    throw IoError(fmt::format("{}: is a directory; pass a file", path));
  if (ec || status.type() != std::filesystem::file_type::regular)
    throw IoError(fmt::format("{}: not a regular file; pass a file", path));
  *size = std::filesystem::file_size(path, ec);
  std::ifstream in(path, std::ios::binary);
  if (ec || !in) throw IoError(fmt::format("{}: cannot read: {}", path, std::strerror(errno)));
  if (*size > max_bytes)
    throw IoError(
        fmt::format("{}: {} bytes, more than the limit of {}; pass a smaller file", path, *size,
                    max_bytes));
  return in;
}

void flush_to_disk(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) throw IoError(fmt::format("{}: cannot write: {}", path, std::strerror(errno)));
  const bool ok = ::fsync(fd) == 0 || errno == EINVAL;  // EINVAL: no sync on this kind of file
  const int error = errno;
  ::close(fd);
  if (!ok) throw IoError(fmt::format("{}: cannot write: {}", path, std::strerror(error)));
}

// Things like /dev/null or /dev/full cannot be renamed over; they are written in place.
bool is_special(const std::string& path) {
  std::error_code ec;
  const auto type = std::filesystem::status(path, ec).type();
  return type == std::filesystem::file_type::character ||
         type == std::filesystem::file_type::fifo;
}

void fill_file(const std::string& target, const std::string& shown,
               const std::function<void(std::ostream&)>& fill) {
  errno = 0;
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  if (out) fill(out);
  if (out) out.flush();
  const int error = errno;
  const bool ok = static_cast<bool>(out);
  out.close();
  if (!ok || out.fail())
    throw IoError(fmt::format("{}: cannot write: {}", shown,
                              error != 0 ? std::strerror(error) : "output failed"));
}

}  // namespace

std::vector<uint8_t> read_file(const std::string& path, size_t max_bytes) {
  size_t size = 0;
  std::ifstream in = open_regular(path, max_bytes, &size);
  std::vector<uint8_t> bytes(size);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return bytes;
}

std::string read_text_file(const std::string& path, size_t max_bytes) {
  const std::vector<uint8_t> bytes = read_file(path, max_bytes);
  return {bytes.begin(), bytes.end()};
}

void write_file_atomic(const std::string& path, const std::function<void(std::ostream&)>& fill) {
  if (is_special(path)) return fill_file(path, path, fill);
  const std::string temporary = fmt::format("{}.tmp{}", path, ::getpid());
  try {
    fill_file(temporary, path, fill);
    flush_to_disk(temporary);
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
      throw IoError(fmt::format("{}: cannot write: {}", path, std::strerror(errno)));
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void write_file_atomic(const std::string& path, std::string_view bytes) {
  write_file_atomic(path, [&](std::ostream& out) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
}

}  // namespace openclip
