// BMP, read here because no Debian library does it as Pillow does: 1, 4, 8, 16, 24 and 32 bits,
// both row orders, RLE and the bit fields that Pillow knows.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "image/bmp_header.h"
#include "image/bmp_rle.h"
#include "image/decode_formats.h"

namespace openclip {
namespace {

// Mode of a picture with a palette: the palettes of plain grey pictures are left out, as in Pillow.
PixelMode indexed_mode(const BmpHeader& header) {
  const auto& palette = header.palette;
  const size_t colors = palette.size() / 3;
  const bool bit = header.bits == 1 && colors == 2;
  if (!bit && header.bits != 8) return PixelMode::p;
  for (size_t i = 0; i < colors; ++i) {
    const uint8_t grey = static_cast<uint8_t>(bit ? 255 * i : i);
    if (palette[3 * i] != grey || palette[3 * i + 1] != grey || palette[3 * i + 2] != grey) {
      return PixelMode::p;
    }
  }
  return bit ? PixelMode::bit : PixelMode::l;
}

void unpack_indices(const uint8_t* in, const BmpHeader& header, bool to_bits, uint8_t* out) {
  const int per_byte = 8 / header.bits;
  const int mask = (1 << header.bits) - 1;
  for (int x = 0; x < header.width; ++x) {
    const int shift = 8 - header.bits * (x % per_byte + 1);
    const int index = in[x / per_byte] >> shift & mask;
    out[x] = static_cast<uint8_t>(to_bits ? 255 * index : index);
  }
}

// Where the channels of a direct-colour pixel lie. `shift` -1: absent.
struct Layout {
  std::array<int, 4> shift;
  std::array<int, 4> max;  // largest value of the channel
};

Layout direct_layout(const DecodeInput& input, const BmpHeader& header) {
  using Masks = std::array<uint32_t, 4>;
  constexpr Layout k555{{10, 5, 0, -1}, {31, 31, 31, 0}};
  constexpr Layout k565{{11, 5, 0, -1}, {31, 63, 31, 0}};
  const auto bytes = [](int r, int g, int b, int a) {
    return Layout{{r, g, b, a}, {255, 255, 255, 255}};
  };
  if (header.packing == BmpPacking::raw) {
    return header.bits == 16 ? k555 : bytes(16, 8, 0, -1);
  }
  const auto& m = header.masks;
  const Masks rgb{m[0], m[1], m[2], 0};
  if (header.bits == 16 && rgb == Masks{0xF800, 0x7E0, 0x1F, 0}) return k565;
  if (header.bits == 16 && rgb == Masks{0x7C00, 0x3E0, 0x1F, 0}) return k555;
  if (header.bits == 24 && rgb == Masks{0xFF0000, 0xFF00, 0xFF, 0}) return bytes(16, 8, 0, -1);
  if (header.bits == 32) {
    if (m == Masks{0xFF0000, 0xFF00, 0xFF, 0}) return bytes(16, 8, 0, -1);
    if (m == Masks{0xFF000000, 0xFF0000, 0xFF00, 0}) return bytes(24, 16, 8, -1);
    if (m == Masks{0xFF000000, 0xFF00, 0xFF, 0}) return bytes(24, 8, 0, -1);
    if (m == Masks{0xFF000000, 0xFF0000, 0xFF00, 0xFF}) return bytes(24, 16, 8, 0);
    if (m == Masks{0xFF, 0xFF00, 0xFF0000, 0xFF000000}) return bytes(0, 8, 16, 24);
    if (m == Masks{0xFF0000, 0xFF00, 0xFF, 0xFF000000}) return bytes(16, 8, 0, 24);
    if (m == Masks{0xFF000000, 0xFF00, 0xFF, 0xFF0000}) return bytes(24, 8, 0, 16);
    if (m == Masks{0, 0, 0, 0}) return bytes(16, 8, 0, 24);
  }
  throw Unsupported(fmt::format("{}: BMP with bit fields {:x} {:x} {:x} {:x}", input.source, m[0],
                                m[1], m[2], m[3]));
}

void unpack_direct(const uint8_t* in, const BmpHeader& header, const Layout& layout, int channels,
                   uint8_t* out) {
  const int pixel_bytes = header.bits / 8;
  for (int x = 0; x < header.width; ++x, in += pixel_bytes, out += channels) {
    uint32_t pixel = 0;
    for (int i = 0; i < pixel_bytes; ++i) pixel |= static_cast<uint32_t>(in[i]) << 8 * i;
    for (int c = 0; c < channels; ++c) {
      const uint32_t max = static_cast<uint32_t>(layout.max[c]);
      out[c] = static_cast<uint8_t>((pixel >> layout.shift[c] & max) * 255 / max);
    }
  }
}

}  // namespace

Image decode_bmp(const DecodeInput& input) {
  const BmpHeader header = read_bmp_header(input);
  const bool indexed = header.bits <= 8;
  const bool rle = header.packing == BmpPacking::rle8 || header.packing == BmpPacking::rle4;
  const size_t width = static_cast<size_t>(header.width),
               height = static_cast<size_t>(header.height);
  const size_t used = (width * header.bits + 7) / 8;          // bytes of a row of the file
  const size_t stride = (width * header.bits + 31) / 32 * 4;  // padded to four
  if (!rle) {
    // The last row may lack its padding.
    const size_t wanted = stride * (height - 1) + used;
    if (header.pixel_offset > input.bytes.size() ||
        input.bytes.size() - header.pixel_offset < wanted) {
      throw ParseError(input.source, "truncated BMP: too few pixels");
    }
  }
  std::vector<uint8_t> indices;
  if (rle) indices = read_bmp_rle(input, header);

  Layout layout = {};
  PixelMode mode = PixelMode::p;
  if (indexed) {
    mode = indexed_mode(header);
  } else {
    layout = direct_layout(input, header);
    mode = layout.shift[3] < 0 ? PixelMode::rgb : PixelMode::rgba;
  }
  Image image = make_image(mode, header.width, header.height);
  if (mode == PixelMode::p) {
    std::copy(header.palette.begin(), header.palette.end(), image.palette.begin());
  }
  for (size_t i = 0; i < height; ++i) {
    uint8_t* out = image.row(static_cast<int>(header.top_down ? i : height - 1 - i));
    if (rle) {
      std::memcpy(out, indices.data() + i * width, width);
      continue;
    }
    const uint8_t* in = input.bytes.data() + header.pixel_offset + i * stride;
    if (indexed) {
      unpack_indices(in, header, mode == PixelMode::bit, out);
    } else {
      unpack_direct(in, header, layout, bytes_per_pixel(mode), out);
    }
  }
  return image;
}

}  // namespace openclip
