#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/atomic_file.h"
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
    throw IoError(fmt::format("{}: {} bytes, more than the limit of {}; pass a smaller file", path,
                              *size, max_bytes));
  return in;
}

}  // namespace

bool is_file(const std::filesystem::path& path) {
  std::error_code none;
  return std::filesystem::is_regular_file(path, none);
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code none;
  return std::filesystem::is_directory(path, none);
}

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
  AtomicFile file(path);
  fill(file.stream());
  file.commit();
}

void write_file_atomic(const std::string& path, std::string_view bytes) {
  write_file_atomic(path, [&](std::ostream& out) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
}

void forget_cached_pages(const std::string& path) noexcept {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

}  // namespace openclip
