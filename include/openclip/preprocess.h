// From a picture to what an image tower sees.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "openclip/namespace.h"

namespace openclip::v0 {

/// open_clip's preprocess_cfg; the defaults are those of OpenAI's models.
struct PreprocessOptions {
  int height = 224;  ///< of what the tower sees, pixels
  int width = 224;
  std::array<float, 3> mean{0.48145466f, 0.4578275f, 0.40821073f};
  std::array<float, 3> std{0.26862954f, 0.26130258f, 0.27577711f};
  std::string interpolation = "bicubic";  ///< bicubic | bilinear
  std::string resize_mode = "shortest";   ///< shortest | longest | squash
  int fill_color = 0;                     ///< of the border that `longest` adds, 0 to 255
};

/// Layout of decoded pixels. A picture is resized in its own layout and made RGB afterwards, as
/// open_clip does, so RGBA given as RGB would give other numbers at its transparent edges.
enum class PixelFormat {
  gray8 = 1,        ///< Pillow's "L": 1 byte
  gray_alpha8 = 2,  ///< "LA": 2 bytes
  rgb8 = 3,         ///< "RGB": 3 bytes
  rgba8 = 4,        ///< "RGBA": 4 bytes, not premultiplied
  cmyk8 = 5,        ///< "CMYK": 4 bytes, 255 is full ink
  gray16 = 6,       ///< "I;16": 2 bytes, native order; clipped, not scaled, to 8 bits
  palette8 = 7,     ///< "P": 1 byte, index into `palette`
  bilevel8 = 8,     ///< "1": 1 byte, 0 or 255
};

/// Decoded pixels in the caller's memory, top row first. They are copied once.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
  PixelFormat format = PixelFormat::rgb8;
  std::size_t row_bytes = 0;                ///< from row to row; 0: rows without padding
  std::span<const std::uint8_t> palette{};  ///< palette8: up to 256 RGB entries; absent: black
};

/// Decodes, resizes, crops and normalises pictures; the result equals that of open_clip's
/// evaluation transform with Pillow to the last bit. JPEG, PNG, WebP, GIF and BMP; the first frame;
/// EXIF orientation is not applied, as in open_clip. Copies are cheap; thread-safe.
class OPENCLIP_EXPORT Preprocess {
 public:
  /// Throws: InvalidArgument for unknown words and sizes that are not positive.
  explicit Preprocess(const PreprocessOptions& options = {});

  const PreprocessOptions& options() const;
  /// Numbers of one picture: 3 * height * width.
  std::size_t size() const;

  /// One picture as [3, height, width]: (value / 255 - mean) / std of each channel.
  /// path: UTF-8. bytes: a whole file in memory.
  /// Throws: NotFound, IoError; ParseError for damaged, foreign and too large files; Unsupported
  /// for variants of the formats that are not read; InvalidArgument for impossible views.
  std::vector<float> operator()(const std::string& path) const;
  std::vector<float> operator()(const char* path) const { return (*this)(std::string(path)); }
  std::vector<float> operator()(std::span<const std::uint8_t> bytes) const;
  std::vector<float> operator()(const ImageView& image) const;

  /// The same into memory of the caller, which must be of size() numbers.
  void operator()(const std::string& path, std::span<float> out) const;
  void operator()(std::span<const std::uint8_t> bytes, std::span<float> out) const;
  void operator()(const ImageView& image, std::span<float> out) const;

 private:
  struct Impl;  // the engine's side
  std::shared_ptr<const Impl> impl_;
};

}  // namespace openclip::v0
