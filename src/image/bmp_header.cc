#include "image/bmp_header.h"

#include <algorithm>

#include "base/error.h"

namespace openclip {
namespace {

constexpr size_t kFileHeaderBytes = 14;

void read_masks(const DecodeInput& input, uint32_t header_bytes, BmpHeader& header) {
  // The masks lie in the longer headers and, at the same place, behind the 40-byte one.
  for (int i = 0; i < (header_bytes >= 56 ? 4 : 3); ++i) {
    header.masks[i] = bmp_number(input, kFileHeaderBytes + 40 + 4 * i, 4);
  }
}

void read_palette(const DecodeInput& input, size_t offset, uint32_t colors, int entry_bytes,
                  BmpHeader& header) {
  for (uint32_t i = 0; i < std::min<uint32_t>(colors, 256); ++i) {
    const uint32_t bgr = bmp_number(input, offset + i * entry_bytes, 3);
    header.palette.push_back(static_cast<uint8_t>(bgr >> 16));
    header.palette.push_back(static_cast<uint8_t>(bgr >> 8));
    header.palette.push_back(static_cast<uint8_t>(bgr));
  }
}

}  // namespace

uint32_t bmp_number(const DecodeInput& input, size_t offset, int count) {
  if (offset > input.bytes.size() || input.bytes.size() - offset < static_cast<size_t>(count)) {
    throw ParseError(input.source, "truncated BMP: ends in its header");
  }
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value |= static_cast<uint32_t>(input.bytes[offset + i]) << 8 * i;
  return value;
}

BmpHeader read_bmp_header(const DecodeInput& input) {
  BmpHeader header;
  const uint32_t header_bytes = bmp_number(input, kFileHeaderBytes, 4);
  const auto field = [&](size_t at, int count) {
    return bmp_number(input, kFileHeaderBytes + at, count);
  };
  int64_t width, height;
  uint32_t packing = 0, colors = 0;
  if (header_bytes == 12) {
    width = field(4, 2), height = field(6, 2), header.bits = static_cast<int>(field(10, 2));
  } else if (header_bytes == 40 || header_bytes == 52 || header_bytes == 56 || header_bytes == 64 ||
             header_bytes == 108 || header_bytes == 124) {
    width = field(4, 4);
    height = static_cast<int32_t>(field(8, 4));  // negative: top row first
    header.top_down = height < 0;
    height = header.top_down ? -height : height;
    header.bits = static_cast<int>(field(14, 2));
    packing = field(16, 4);
    colors = field(32, 4);
  } else {
    throw ParseError(input.source, fmt::format("BMP with a header of {} bytes", header_bytes));
  }
  const auto bits = header.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    throw ParseError(input.source, fmt::format("BMP with {} bits for each pixel", bits));
  }
  check_size(input, "BMP", width, height);
  header.width = static_cast<int>(width);
  header.height = static_cast<int>(height);

  if (packing == 4 || packing == 5) {
    throw Unsupported(input.source + ": BMP that wraps a JPEG or PNG");
  }
  if (packing > 3 || (packing == 1 && bits != 8) || (packing == 2 && bits != 4) ||
      (packing == 3 && bits < 16)) {
    throw ParseError(input.source,
                     fmt::format("BMP with compression {} for {} bits", packing, bits));
  }
  static constexpr BmpPacking kPackings[] = {BmpPacking::raw, BmpPacking::rle8, BmpPacking::rle4,
                                             BmpPacking::bitfields};
  header.packing = kPackings[packing];
  size_t after_header = kFileHeaderBytes + header_bytes;
  if (header.packing == BmpPacking::bitfields) {
    read_masks(input, header_bytes, header);
    if (header_bytes == 40) after_header += 12;
  }

  header.pixel_offset = bmp_number(input, 10, 4);
  if (bits <= 8) {
    if (colors == 0) colors = 1u << bits;
    if (colors > 65536) throw ParseError(input.source, "BMP with too large a palette");
    const int entry_bytes = header_bytes == 12 ? 3 : 4;
    // Some writers give the palette's place as that of the pixels.
    if (header.pixel_offset == after_header) header.pixel_offset += entry_bytes * colors;
    read_palette(input, after_header, colors, entry_bytes, header);
    after_header += entry_bytes * colors;
  }
  if (header.pixel_offset == 0) header.pixel_offset = after_header;
  return header;
}

}  // namespace openclip
