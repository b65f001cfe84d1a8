// Decoded pictures in Pillow's modes, and the decoders. Rank 3.
//
// A picture keeps the mode of its file, because open_clip resizes before it converts to RGB, and
// Pillow resizes each mode in its own way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace openclip {

/// Pillow's pixel modes; the comment gives Pillow's name and the bytes of one pixel.
enum class PixelMode {
  bit,   // "1": one byte, 0 or 255
  l,     // "L": grey
  la,    // "LA": grey, alpha
  p,     // "P": index into Image::palette
  rgb,   // "RGB"
  rgba,  // "RGBA": not premultiplied
  cmyk,  // "CMYK": 255 is full ink
  i16,   // "I;16": 16-bit grey, native byte order
};

/// Bytes of one pixel.
int bytes_per_pixel(PixelMode mode);

/// Pillow's name of the mode, such as "RGBA".
const char* mode_name(PixelMode mode);

/// A picture: `height` rows of `width` pixels without padding, top row first.
struct Image {
  int width = 0;
  int height = 0;
  PixelMode mode = PixelMode::rgb;
  std::vector<uint8_t> pixels;   // height * width * bytes_per_pixel(mode)
  std::vector<uint8_t> palette;  // PixelMode::p: 256 RGB entries, absent ones black; else empty

  size_t row_bytes() const { return static_cast<size_t>(width) * bytes_per_pixel(mode); }
  const uint8_t* row(int y) const { return pixels.data() + static_cast<size_t>(y) * row_bytes(); }
  uint8_t* row(int y) { return pixels.data() + static_cast<size_t>(y) * row_bytes(); }
};

/// A zero-filled picture. Throws: InvalidArgument unless both sides are positive.
Image make_image(PixelMode mode, int width, int height);

/// What a file may ask for; checked against its header before any pixel memory is taken.
struct DecodeLimits {
  /// Pillow refuses pictures of more pixels than this (twice Image.MAX_IMAGE_PIXELS).
  int64_t max_pixels = 178'956'970;
  /// Passes over a progressive JPEG; real files have about 10, each costs time for few bytes.
  int max_jpeg_scans = 500;
};

/// Decodes the first frame of a JPEG, PNG, WebP, GIF or BMP file (told by its first bytes) to the
/// mode and the pixels that Pillow's Image.open gives. EXIF orientation is not applied.
/// source: name of the file for error texts.
/// Throws: ParseError for other, damaged, truncated or too large files; Unsupported for variants of
/// these formats that Pillow or this build does not read.
Image decode_image(std::span<const uint8_t> bytes, const std::string& source,
                   const DecodeLimits& limits = {});

}  // namespace openclip
