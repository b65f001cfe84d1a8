#include "data/decode.h"

#include "image/convert.h"

namespace openclip::train {

std::shared_ptr<const Image> decode_picture(std::span<const uint8_t> bytes,
                                            const std::string& source, int64_t max_pixels) {
  DecodeLimits limits;
  if (max_pixels > 0) limits.max_pixels = max_pixels;
  Image image = decode_image(bytes, source, limits);
  if (image.mode != PixelMode::rgba && image.mode != PixelMode::rgb) image = convert_to_rgb(image);
  return std::make_shared<const Image>(std::move(image));
}

}  // namespace openclip::train
