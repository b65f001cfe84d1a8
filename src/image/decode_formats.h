// One decoder for each file format; decode_image chooses among them. Internal to src/image.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "image/image.h"

namespace openclip {

/// What every decoder is given.
struct DecodeInput {
  std::span<const uint8_t> bytes;
  const std::string& source;
  const DecodeLimits& limits;
};

Image decode_jpeg(const DecodeInput& input);
Image decode_png(const DecodeInput& input);
Image decode_webp(const DecodeInput& input);
Image decode_gif(const DecodeInput& input);
Image decode_bmp(const DecodeInput& input);

/// Refuses sizes of zero and beyond the limits. Call before allocating pixels.
/// Throws: ParseError.
void check_size(const DecodeInput& input, const char* format, int64_t width, int64_t height);

}  // namespace openclip
