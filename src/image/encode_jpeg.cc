#include "image/encode_jpeg.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
// jpeglib.h needs size_t and FILE declared first.
#include <jpeglib.h>

#include <memory>

#include "base/error.h"
#include "image/convert.h"

namespace openclip {
namespace {

// libjpeg reports errors by a call that must not return; no object with a destructor stands between
// setjmp and the calls into libjpeg.
class JpegWriter {
 public:
  JpegWriter() {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) {
      std::longjmp(static_cast<JpegWriter*>(info->client_data)->jump_, 1);
    };
    errors_.output_message = [](j_common_ptr) {};
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&info_);
    std::free(bytes_);
  }

  bool write(const Image& rgb, int quality) {
    if (setjmp(jump_)) return false;
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &bytes_, &size_);
    info_.image_width = static_cast<JDIMENSION>(rgb.width);
    info_.image_height = static_cast<JDIMENSION>(rgb.height);
    info_.input_components = 3;
    info_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, quality, TRUE);
    jpeg_start_compress(&info_, TRUE);
    while (info_.next_scanline < info_.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(rgb.row(static_cast<int>(info_.next_scanline)));
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
    return true;
  }

  std::vector<uint8_t> bytes() const { return {bytes_, bytes_ + size_}; }

 private:
  jpeg_compress_struct info_ = {};
  jpeg_error_mgr errors_ = {};
  std::jmp_buf jump_ = {};
  unsigned char* bytes_ = nullptr;
  unsigned long size_ = 0;
};

// Premultiplied colours and what is missing to white.
Image on_white(Image image, int channels) {
  for (int y = 0; y < image.height; ++y) {
    uint8_t* row = image.row(y);
    premultiply_row(row, image.width, channels);
    for (int x = 0; x < image.width; ++x) {
      uint8_t* pixel = row + x * channels;
      const int rest = 255 - pixel[channels - 1];
      for (int c = 0; c + 1 < channels; ++c) pixel[c] = static_cast<uint8_t>(pixel[c] + rest);
    }
  }
  return image;
}

Image as_rgb(const Image& image) {
  if (image.mode == PixelMode::rgba) return convert_to_rgb(on_white(image, 4));
  if (image.mode == PixelMode::la) return convert_to_rgb(on_white(image, 2));
  return convert_to_rgb(image);
}

}  // namespace

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  check_arg(image.width <= JPEG_MAX_DIMENSION && image.height <= JPEG_MAX_DIMENSION,
            "[encode_jpeg] a side may have {} pixels, got {}x{}", JPEG_MAX_DIMENSION, image.width,
            image.height);
  const Image rgb = as_rgb(image);
  const auto writer = std::make_unique<JpegWriter>();
  if (!writer->write(rgb, quality)) throw Internal("[encode_jpeg] libjpeg refused the picture");
  return writer->bytes();
}

}  // namespace openclip
