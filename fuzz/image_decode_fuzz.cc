// Any bytes as a picture file: pixels that fill the claimed size and can be preprocessed, or one
// line of error. Limits are low, so that no input is slow for want of a better one.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "image/preprocess.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  openclip::DecodeLimits limits;
  limits.max_pixels = 1 << 18;
  limits.max_jpeg_scans = 20;
  openclip::Image image;
  try {
    image = openclip::decode_image({data, size}, "fuzz", limits);
  } catch (const openclip::Error& error) {
    if (std::strchr(error.what(), '\n')) std::abort();
    return 0;
  }
  if (image.width <= 0 || image.height <= 0 ||
      int64_t{image.width} * image.height > limits.max_pixels ||
      image.pixels.size() != image.row_bytes() * static_cast<size_t>(image.height) ||
      image.palette.size() != (image.mode == openclip::PixelMode::p ? 768u : 0u)) {
    std::abort();
  }
  const uint8_t choice = data[size - 1];  // rarely part of the pixels in any format
  openclip::PreprocessConfig config;
  config.height = 8;
  config.width = choice & 16 ? 5 : 8;
  config.resize_mode = static_cast<openclip::ResizeMode>(choice % 3);
  config.interpolation =
      choice & 8 ? openclip::Interpolation::bilinear : openclip::Interpolation::bicubic;
  config.fill = choice;
  std::array<float, 3 * 8 * 8> out;
  openclip::preprocess(image, config, out.data());
  return 0;
}
