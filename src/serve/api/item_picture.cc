#include "serve/api/item_picture.h"

#include <algorithm>

#include "image/encode_jpeg.h"
#include "image/resize.h"
#include "tasks/picture_path.h"

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

std::vector<uint8_t> read_picture(const std::string& path) {
  try {
    return read_picture_path(path, kMaxFileBytes);
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
