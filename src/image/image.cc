#include "image/image.h"

#include "base/error.h"

namespace openclip {

int bytes_per_pixel(PixelMode mode) {
  switch (mode) {
    case PixelMode::bit:
    case PixelMode::l:
    case PixelMode::p:
      return 1;
    case PixelMode::la:
    case PixelMode::i16:
      return 2;
    case PixelMode::rgb:
      return 3;
    case PixelMode::rgba:
    case PixelMode::cmyk:
      return 4;
  }
  throw Internal("[image] unknown pixel mode");
}

const char* mode_name(PixelMode mode) {
  switch (mode) {
    case PixelMode::bit:
      return "1";
    case PixelMode::l:
      return "L";
    case PixelMode::la:
      return "LA";
    case PixelMode::p:
      return "P";
    case PixelMode::rgb:
      return "RGB";
    case PixelMode::rgba:
      return "RGBA";
    case PixelMode::cmyk:
      return "CMYK";
    case PixelMode::i16:
      return "I;16";
  }
  throw Internal("[image] unknown pixel mode");
}

Image make_image(PixelMode mode, int width, int height) {
  check_arg(width > 0 && height > 0, "[image] sides must be positive, got {}x{}", width, height);
  Image image;
  image.width = width;
  image.height = height;
  image.mode = mode;
  image.pixels.resize(static_cast<size_t>(height) * image.row_bytes());
  if (mode == PixelMode::p) image.palette.resize(3 * 256);
  return image;
}

}  // namespace openclip
