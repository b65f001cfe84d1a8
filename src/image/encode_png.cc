#include "image/encode_png.h"

#include <png.h>

#include "base/atomic_file.h"
#include "base/error.h"

namespace openclip {
namespace {

png_uint_32 format_of(PixelMode mode) {
  switch (mode) {
    case PixelMode::l:
      return PNG_FORMAT_GRAY;
    case PixelMode::la:
      return PNG_FORMAT_GA;
    case PixelMode::rgb:
      return PNG_FORMAT_RGB;
    case PixelMode::rgba:
      return PNG_FORMAT_RGBA;
    default:
      throw InvalidArgument(
          fmt::format("[encode_png] mode {} must be converted first", mode_name(mode)));
  }
}

}  // namespace

std::vector<uint8_t> encode_png(const Image& image) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.format = format_of(image.mode);
  check_arg(image.width > 0 && image.height > 0 &&
                image.pixels.size() == image.row_bytes() * static_cast<size_t>(image.height),
            "[encode_png] {} bytes are no picture of {} x {}", image.pixels.size(), image.width,
            image.height);
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  std::vector<uint8_t> bytes(PNG_IMAGE_PNG_SIZE_MAX(png));
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0)
    throw Internal(fmt::format("[encode_png] libpng: {}", png.message));
  bytes.resize(size);
  return bytes;
}

void write_png(const std::string& path, const Image& image) {
  const std::vector<uint8_t> bytes = encode_png(image);
  AtomicFile file(path);
  file.stream().write(reinterpret_cast<const char*>(bytes.data()),
                      static_cast<std::streamsize>(bytes.size()));
  file.commit();
}

}  // namespace openclip
