// PNG through libpng. Pillow's modes: 1-bit grey "1", 2 to 8-bit grey "L", 16-bit grey "I;16",
// colour cut to its high bytes, 16-bit grey with alpha "RGBA"; tRNS and gamma change no pixel.
#include <png.h>

#include <bit>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "image/decode_formats.h"

namespace openclip {
namespace {

constexpr size_t kMaxChunkBytes = 8 << 20;  // for the chunks that are read: palette and the like

// libpng reports errors by a call that must not return: as in decode_jpeg.cc, the stages keep no
// object with a destructor between setjmp and the calls into libpng.
class PngReader {
 public:
  explicit PngReader(const DecodeInput& input) : bytes_(input.bytes) {}
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  bool read_header() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (!png_) throw Internal("[decode_png] libpng versions differ");
    if (setjmp(png_jmpbuf(png_))) return false;
    info_ = png_create_info_struct(png_);
    png_set_read_fn(png_, this, on_read);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // decode_png checks the size
    png_set_chunk_malloc_max(png_, kMaxChunkBytes);
    // Texts, profiles and times are skipped unread: nothing here needs them, and compressed ones
    // are a way to make a reader work.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    width = png_get_image_width(png_, info_);
    height = png_get_image_height(png_, info_);
    depth = png_get_bit_depth(png_, info_);
    color = png_get_color_type(png_, info_);
    return true;
  }

  bool read_pixels(uint8_t** rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    if (depth < 8) {
      if (color == PNG_COLOR_TYPE_GRAY) {
        png_set_expand_gray_1_2_4_to_8(png_);
      } else {
        png_set_packing(png_);
      }
    }
    if (depth == 16) {
      if (color != PNG_COLOR_TYPE_GRAY) {
        png_set_strip_16(png_);
      } else if constexpr (std::endian::native == std::endian::little) {
        png_set_swap(png_);
      }
      if (color == PNG_COLOR_TYPE_GRAY_ALPHA) png_set_gray_to_rgb(png_);
    }
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    row_bytes = png_get_rowbytes(png_, info_);
    if (row_bytes != expected_row_bytes) png_error(png_, "unexpected row size");
    png_read_image(png_, rows);
    return true;
  }

  void read_palette(std::vector<uint8_t>& palette) const {
    png_colorp entries = nullptr;
    int count = 0;
    if (!png_get_PLTE(png_, info_, &entries, &count)) return;
    for (int i = 0; i < count; ++i) {
      palette[3 * i] = entries[i].red;
      palette[3 * i + 1] = entries[i].green;
      palette[3 * i + 2] = entries[i].blue;
    }
  }

  const char* problem() const { return problem_; }

  uint32_t width = 0, height = 0;
  int depth = 0, color = 0;
  size_t row_bytes = 0, expected_row_bytes = 0;

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(self->problem_, sizeof self->problem_, "%s PNG: %s",
                  self->at_end_ ? "truncated" : "damaged", text);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep out, size_t count) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self->bytes_.size() - self->position_) {
      self->at_end_ = true;
      png_error(png, "ends too early");
    }
    std::memcpy(out, self->bytes_.data() + self->position_, count);
    self->position_ += count;
  }

  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool at_end_ = false;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  char problem_[160] = "";
};

PixelMode pillow_mode(int color, int depth) {
  switch (color) {
    case PNG_COLOR_TYPE_GRAY:
      return depth == 1 ? PixelMode::bit : depth == 16 ? PixelMode::i16 : PixelMode::l;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      return depth == 16 ? PixelMode::rgba : PixelMode::la;
    case PNG_COLOR_TYPE_PALETTE:
      return PixelMode::p;
    case PNG_COLOR_TYPE_RGB:
      return PixelMode::rgb;
    default:
      return PixelMode::rgba;
  }
}

}  // namespace

Image decode_png(const DecodeInput& input) {
  PngReader reader(input);
  if (!reader.read_header()) throw ParseError(input.source, reader.problem());
  check_size(input, "PNG", reader.width, reader.height);
  Image image = make_image(pillow_mode(reader.color, reader.depth), static_cast<int>(reader.width),
                           static_cast<int>(reader.height));
  reader.expected_row_bytes = image.row_bytes();
  std::vector<uint8_t*> rows(reader.height);
  for (int y = 0; y < image.height; ++y) rows[y] = image.row(y);
  if (!reader.read_pixels(rows.data())) throw ParseError(input.source, reader.problem());
  if (image.mode == PixelMode::p) reader.read_palette(image.palette);
  return image;
}

}  // namespace openclip
