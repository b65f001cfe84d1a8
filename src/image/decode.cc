#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/error.h"
#include "image/decode_formats.h"
#include "image/image.h"

namespace openclip {
namespace {

bool starts_with(std::span<const uint8_t> bytes, std::string_view magic, size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<ptrdiff_t>(at),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

bool looks_like_text(std::span<const uint8_t> bytes) {
  auto head = bytes.first(std::min<size_t>(bytes.size(), 64));
  return std::all_of(head.begin(), head.end(), [](uint8_t c) {
    return std::isprint(c) || c == '\n' || c == '\r' || c == '\t' || c >= 0x80;
  });
}

// Names what was found instead of a picture, so that a user sees at once what went wrong
// (a saved error page, an archive, a format that is not read).
std::string describe(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return "an empty file";
  struct Known {
    size_t at;
    std::string_view magic;
    const char* name;
  };
  static constexpr Known kKnown[] = {
      {0, "II*\0", "a TIFF file"},        {0, std::string_view("MM\0*", 4), "a TIFF file"},
      {4, "ftypavif", "an AVIF file"},    {4, "ftyphei", "a HEIF file"},
      {4, "ftypmif1", "a HEIF file"},     {0, "%PDF", "a PDF document"},
      {0, "PK\x03\x04", "a zip file"},    {0, "\x1f\x8b", "a gzip file"},
      {0, "<?xml", "an XML or SVG text"}, {0, "<svg", "an SVG text"},
      {0, "<!DOCTYPE", "a web page"},     {0, "<html", "a web page"},
  };
  for (const auto& known : kKnown) {
    if (starts_with(bytes, known.magic, known.at)) return known.name;
  }
  if (std::all_of(bytes.begin(), bytes.end(), [](uint8_t c) { return c == 0; })) {
    return "only zero bytes";
  }
  if (looks_like_text(bytes)) return "text";
  std::string hex;
  for (size_t i = 0; i < std::min<size_t>(bytes.size(), 4); ++i) {
    hex += fmt::format("{}{:02x}", i ? " " : "", bytes[i]);
  }
  return "a file that starts with the bytes " + hex;
}

}  // namespace

void check_size(const DecodeInput& input, const char* format, int64_t width, int64_t height) {
  if (width <= 0 || height <= 0) {
    throw ParseError(input.source, fmt::format("{} with size {}x{}", format, width, height));
  }
  // Sides fit 32 bits in every format, so the product cannot overflow.
  if (width * height > input.limits.max_pixels || width > INT32_MAX || height > INT32_MAX) {
    throw ParseError(input.source, fmt::format("{} of {}x{} pixels is over the limit of {} pixels",
                                               format, width, height, input.limits.max_pixels));
  }
}

Image decode_image(std::span<const uint8_t> bytes, const std::string& source,
                   const DecodeLimits& limits) {
  const DecodeInput input{bytes, source, limits};
  if (starts_with(bytes, "\xff\xd8\xff")) return decode_jpeg(input);
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n")) return decode_png(input);
  if (starts_with(bytes, "RIFF") && starts_with(bytes, "WEBP", 8)) return decode_webp(input);
  if (starts_with(bytes, "GIF87a") || starts_with(bytes, "GIF89a")) return decode_gif(input);
  if (starts_with(bytes, "BM")) return decode_bmp(input);
  throw ParseError(source,
                   "expected a JPEG, PNG, WebP, GIF or BMP picture, found " + describe(bytes));
}

}  // namespace openclip
