#include "tasks/picture_path.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "io/tar.h"
#include "tasks/image_source.h"

namespace openclip {
namespace {

// The archive that "ARCHIVE/MEMBER" begins with.
std::optional<std::pair<std::string, std::string>> split_archive_path(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string archive = path.substr(0, slash);
    std::error_code ec;
    if (is_archive_name(archive) && std::filesystem::is_regular_file(archive, ec))
      return std::pair(archive, path.substr(slash + 1));
  }
  return std::nullopt;
}

}  // namespace

std::vector<uint8_t> read_picture_path(const std::string& path, size_t max_bytes) {
  const auto parts = split_archive_path(path);
  if (!parts) return read_file(path, max_bytes);
  TarOptions options;
  options.max_member_bytes = max_bytes;
  options.wants = [&](std::string_view name) { return name == parts->second; };
  TarReader tar(parts->first, options);
  if (std::optional<TarMember> found = tar.next()) return std::move(found->bytes);
  throw NotFound(path + ": is not in its archive any more");
}

}  // namespace openclip
