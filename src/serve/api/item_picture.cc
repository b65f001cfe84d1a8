#include "serve/api/item_picture.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "image/encode_jpeg.h"
#include "image/resize.h"
#include "io/tar.h"
#include "tasks/image_source.h"

namespace openclip {
namespace {

constexpr size_t kMaxFileBytes = size_t{64} << 20;
constexpr size_t kSmallEnough = size_t{48} << 10;  // bytes of a file that is not worth shrinking

// What a browser may be told; other files are not given out.
std::string picture_type(std::span<const uint8_t> bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min<size_t>(bytes.size(), 12));
  if (head.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (head.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) return "image/gif";
  if (head.starts_with("RIFF") && head.substr(8) == "WEBP") return "image/webp";
  if (head.starts_with("BM")) return "image/bmp";
  throw NotFound("the item's file is no picture");
}

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

std::vector<uint8_t> read_member(const std::string& archive, const std::string& member) {
  TarOptions options;
  options.max_member_bytes = kMaxFileBytes;
  options.wants = [&](std::string_view name) { return name == member; };
  TarReader tar(archive, options);
  if (std::optional<TarMember> found = tar.next()) return std::move(found->bytes);
  throw NotFound("the item's picture is no longer in its archive");
}

std::vector<uint8_t> read_picture(const std::string& path) {
  try {
    if (const auto parts = split_archive_path(path))
      return read_member(parts->first, parts->second);
    return read_file(path, kMaxFileBytes);
  } catch (const IoError&) {
    // Clients need not know the machine's folders and rights.
    throw NotFound("the item's picture cannot be read");
  } catch (const NotFound&) {
    throw NotFound("the item's picture is not there any more");
  }
}

}  // namespace

PictureFile item_picture(const Call& call, Engine& engine, const Item& item, int side) {
  PictureFile file;
  file.bytes = read_picture(item.path);
  file.type = picture_type(file.bytes);
  if (side == 0 || file.bytes.size() <= kSmallEnough) return file;
  const Image image = engine.decode(call, file.bytes, "the item's picture");
  const double scale = static_cast<double>(side) / std::max(image.width, image.height);
  if (scale >= 1) return file;
  const auto length = [&](int pixels) {
    return std::max(1, static_cast<int>(pixels * scale + 0.5));
  };
  ResizeOptions options;
  options.interpolation = Interpolation::bilinear;
  return {encode_jpeg(resize(image, length(image.width), length(image.height), options)),
          "image/jpeg"};
}

}  // namespace openclip
