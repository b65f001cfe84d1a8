// JPEG through libjpeg-turbo with Pillow's settings: accurate integer DCT, fancy upsampling.
#include <csetjmp>
#include <cstdio>
// jpeglib.h needs size_t and FILE declared first.
#include <jerror.h>
#include <jpeglib.h>

#include "base/error.h"
#include "image/decode_formats.h"

namespace openclip {
namespace {

// libjpeg reports errors by a call that must not return, so each stage below sets a jump target
// and keeps no object with a destructor of its own between setjmp and the calls into libjpeg.
class JpegReader {
 public:
  explicit JpegReader(const DecodeInput& input) : limits_(input.limits) {
    cinfo_.err = jpeg_std_error(&errors_);
    cinfo_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) {
      auto* self = static_cast<JpegReader*>(info->client_data);
      char text[JMSG_LENGTH_MAX];
      info->err->format_message(info, text);
      self->fail("damaged JPEG: ", text);
    };
    errors_.emit_message = [](j_common_ptr, int) {};  // warnings: decode on, as Pillow does
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr info) {
      auto* self = static_cast<JpegReader*>(info->client_data);
      if (self->cinfo_.input_scan_number > self->limits_.max_jpeg_scans) {
        self->fail("damaged JPEG: too many scans");
      }
    };
    source_.init_source = [](j_decompress_ptr) {};
    source_.term_source = [](j_decompress_ptr) {};
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.fill_input_buffer = [](j_decompress_ptr info) -> boolean {
      static_cast<JpegReader*>(info->client_data)->fail("truncated JPEG: ends too early");
    };
    source_.skip_input_data = [](j_decompress_ptr info, long count) {
      auto* self = static_cast<JpegReader*>(info->client_data);
      if (count <= 0) return;
      if (static_cast<size_t>(count) > info->src->bytes_in_buffer)
        self->fail("truncated JPEG: ends too early");
      info->src->next_input_byte += count;
      info->src->bytes_in_buffer -= static_cast<size_t>(count);
    };
    source_.next_input_byte = input.bytes.data();
    source_.bytes_in_buffer = input.bytes.size();
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&cinfo_); }

  bool read_header() {
    if (setjmp(jump_)) return false;
    jpeg_create_decompress(&cinfo_);
    cinfo_.src = &source_;
    cinfo_.progress = &progress_;
    jpeg_read_header(&cinfo_, TRUE);
    return true;
  }

  // One row after the other to `out`; also reads up to the end mark, which must be there.
  bool read_pixels(J_COLOR_SPACE space, uint8_t* out, size_t row_bytes) {
    if (setjmp(jump_)) return false;
    cinfo_.out_color_space = space;
    jpeg_start_decompress(&cinfo_);
    while (cinfo_.output_scanline < cinfo_.output_height) {
      JSAMPROW row = out + row_bytes * cinfo_.output_scanline;
      jpeg_read_scanlines(&cinfo_, &row, 1);
    }
    jpeg_finish_decompress(&cinfo_);
    return true;
  }

  const jpeg_decompress_struct& info() const { return cinfo_; }
  const char* problem() const { return problem_; }

 private:
  [[noreturn]] void fail(const char* problem, const char* detail = "") {
    std::snprintf(problem_, sizeof problem_, "%s%s", problem, detail);
    std::longjmp(jump_, 1);
  }

  const DecodeLimits& limits_;
  jpeg_decompress_struct cinfo_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  jpeg_source_mgr source_ = {};
  std::jmp_buf jump_;
  char problem_[JMSG_LENGTH_MAX + 32] = "";
};

}  // namespace

Image decode_jpeg(const DecodeInput& input) {
  JpegReader reader(input);
  if (!reader.read_header()) throw ParseError(input.source, reader.problem());
  const auto& info = reader.info();
  check_size(input, "JPEG", info.image_width, info.image_height);

  PixelMode mode;
  J_COLOR_SPACE space;
  if (info.num_components == 1) {
    mode = PixelMode::l, space = JCS_GRAYSCALE;
  } else if (info.num_components == 3) {
    mode = PixelMode::rgb, space = JCS_RGB;
  } else if (info.num_components == 4) {
    mode = PixelMode::cmyk, space = JCS_CMYK;
  } else {
    throw Unsupported(
        fmt::format("{}: JPEG with {} components", input.source, info.num_components));
  }
  Image image =
      make_image(mode, static_cast<int>(info.image_width), static_cast<int>(info.image_height));
  if (!reader.read_pixels(space, image.pixels.data(), image.row_bytes())) {
    throw ParseError(input.source, reader.problem());
  }
  if (mode == PixelMode::cmyk) {
    // Pillow takes every four-component file as Adobe's: stored inverted, whatever its marker says.
    for (auto& value : image.pixels) value = static_cast<uint8_t>(255 - value);
  }
  return image;
}

}  // namespace openclip
