// Preprocess of the C++ API. Rank 6.
#include "openclip/preprocess.h"

#include <cmath>
#include <cstring>

#include "api/impl.h"
#include "api/translate.h"
#include "base/error.h"
#include "image/image.h"
#include "tasks/image_source.h"

namespace openclip::v0 {
namespace {

ResizeMode resize_mode(const std::string& word) {
  if (word == "shortest") return ResizeMode::shortest;
  if (word == "longest") return ResizeMode::longest;
  if (word == "squash") return ResizeMode::squash;
  throw openclip::InvalidArgument(
      fmt::format("resize_mode must be shortest, longest or squash, got '{}'", word));
}

Interpolation interpolation(const std::string& word) {
  if (word == "bicubic") return Interpolation::bicubic;
  if (word == "bilinear") return Interpolation::bilinear;
  throw openclip::InvalidArgument(
      fmt::format("interpolation must be bicubic or bilinear, got '{}'", word));
}

PreprocessConfig engine_config(const PreprocessOptions& options) {
  constexpr int kMaxSide = 1 << 14;  // of a tower's input; far above any model's
  check_arg(options.height > 0 && options.width > 0 && options.height <= kMaxSide &&
                options.width <= kMaxSide,
            "[preprocess] size must be 1 to {} pixels, got {}x{}", kMaxSide, options.height,
            options.width);
  check_arg(options.fill_color >= 0 && options.fill_color <= 255,
            "[preprocess] fill_color must be 0 to 255, got {}", options.fill_color);
  for (const float x : options.std)
    check_arg(std::isfinite(x) && x != 0, "[preprocess] std must not be 0, got {}", x);
  return {.height = options.height,
          .width = options.width,
          .resize_mode = resize_mode(options.resize_mode),
          .interpolation = interpolation(options.interpolation),
          .mean = options.mean,
          .std = options.std,
          .fill = options.fill_color};
}

PixelMode pixel_mode(PixelFormat format) {
  switch (format) {
    case PixelFormat::gray8:
      return PixelMode::l;
    case PixelFormat::gray_alpha8:
      return PixelMode::la;
    case PixelFormat::rgb8:
      return PixelMode::rgb;
    case PixelFormat::rgba8:
      return PixelMode::rgba;
    case PixelFormat::cmyk8:
      return PixelMode::cmyk;
    case PixelFormat::gray16:
      return PixelMode::i16;
    case PixelFormat::palette8:
      return PixelMode::p;
    case PixelFormat::bilevel8:
      return PixelMode::bit;
  }
  throw openclip::InvalidArgument(
      fmt::format("[preprocess] unknown pixel format {}", static_cast<int>(format)));
}

Image copy_image(const ImageView& view) {
  const PixelMode mode = pixel_mode(view.format);
  check_arg(view.pixels != nullptr, "[preprocess] the picture has no pixels");
  check_arg(view.width > 0 && view.height > 0, "[preprocess] sides must be positive, got {}x{}",
            view.width, view.height);
  const int64_t limit = DecodeLimits{}.max_pixels;
  check_arg(int64_t{view.width} * view.height <= limit,
            "[preprocess] {}x{} pixels are over the limit of {}", view.width, view.height, limit);
  check_arg(view.palette.size() % 3 == 0 && view.palette.size() <= 3 * 256,
            "[preprocess] a palette has up to 256 RGB entries, got {} bytes", view.palette.size());
  Image image = make_image(mode, view.width, view.height);
  const size_t row_bytes = view.row_bytes == 0 ? image.row_bytes() : view.row_bytes;
  check_arg(row_bytes >= image.row_bytes(), "[preprocess] row_bytes must be at least {}, got {}",
            image.row_bytes(), row_bytes);
  for (int y = 0; y < image.height; ++y)
    std::memcpy(image.row(y), view.pixels + static_cast<size_t>(y) * row_bytes, image.row_bytes());
  if (mode == PixelMode::p && !view.palette.empty())
    std::memcpy(image.palette.data(), view.palette.data(), view.palette.size());
  return image;
}

void run(const Image& image, const PreprocessConfig& config, size_t size, std::span<float> out) {
  check_arg(out.size() == size, "[preprocess] out must have 3 * {} * {} numbers, got {}",
            config.height, config.width, out.size());
  openclip::preprocess(image, config, out.data());
}

}  // namespace

Preprocess::Preprocess(const PreprocessOptions& options)
    : impl_(translated([&] {
        return std::make_shared<const Impl>(Impl{options, engine_config(options)});
      })) {}

const PreprocessOptions& Preprocess::options() const { return impl_->options; }

size_t Preprocess::size() const {
  return size_t{3} * static_cast<size_t>(impl_->config.height) *
         static_cast<size_t>(impl_->config.width);
}

void Preprocess::operator()(const std::string& path, std::span<float> out) const {
  translated([&] {
    ImageRef ref;
    ref.name = path;
    run(decode_image(load_image_bytes(ref), path), impl_->config, size(), out);
  });
}

void Preprocess::operator()(std::span<const uint8_t> bytes, std::span<float> out) const {
  translated([&] { run(decode_image(bytes, "picture in memory"), impl_->config, size(), out); });
}

void Preprocess::operator()(const ImageView& image, std::span<float> out) const {
  translated([&] { run(copy_image(image), impl_->config, size(), out); });
}

std::vector<float> Preprocess::operator()(const std::string& path) const {
  std::vector<float> out(size());
  (*this)(path, out);
  return out;
}

std::vector<float> Preprocess::operator()(std::span<const uint8_t> bytes) const {
  std::vector<float> out(size());
  (*this)(bytes, out);
  return out;
}

std::vector<float> Preprocess::operator()(const ImageView& image) const {
  std::vector<float> out(size());
  (*this)(image, out);
  return out;
}

}  // namespace openclip::v0
