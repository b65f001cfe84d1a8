#include "image/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "image/blur_resize.h"
#include "image/convert.h"

namespace openclip {
namespace {

struct Size {
  double height, width;  // whole numbers
};

// size = [round(x / ratio) for x in (h, w)] with ratio of h / target_h and w / target_w
Size keep_ratio(const Image& image, const PreprocessConfig& config, bool longest) {
  const double ratio_h = static_cast<double>(image.height) / config.height;
  const double ratio_w = static_cast<double>(image.width) / config.width;
  const double ratio = longest ? std::max(ratio_h, ratio_w) : std::min(ratio_h, ratio_w);
  // open_clip fails where the shorter side would vanish (10000 x 10, longest); one row is kept.
  return {std::max(1.0, std::nearbyint(image.height / ratio)),
          std::max(1.0, std::nearbyint(image.width / ratio))};
}

Size resized_size(const Image& image, const PreprocessConfig& config) {
  switch (config.resize_mode) {
    case ResizeMode::squash:
      return {static_cast<double>(config.height), static_cast<double>(config.width)};
    case ResizeMode::longest:
      return keep_ratio(image, config, true);
    case ResizeMode::pad_blur:
      throw InvalidArgument("[preprocess] this mode makes numbers, not pixels");
    case ResizeMode::shortest:
      break;
  }
  if (config.height != config.width) return keep_ratio(image, config, false);
  // torchvision Resize(size): new_long = int(size * long / short)
  const double size = config.height;
  if (image.width <= image.height) return {std::trunc(size * image.height / image.width), size};
  return {size, std::trunc(size * image.width / image.height)};
}

// One axis: which part of the resized picture is seen, and where it lies in the output.
struct Placement {
  int from;    // first pixel of the resized picture
  int count;   // pixels of it
  int border;  // output pixels before it
};

Placement place(int resized, int target) {
  if (resized < target) return {0, resized, (target - resized) / 2};
  // int(round((resized - target) / 2.0)), half to even
  return {static_cast<int>(std::nearbyint((resized - target) / 2.0)), target, 0};
}

// RGB of a border pixel: the fill value stands in every channel of the picture's own mode.
std::array<uint8_t, 3> fill_color(const Image& image, int fill) {
  uint8_t pixel[4];
  std::memset(pixel, fill, sizeof pixel);
  if (image.mode == PixelMode::bit) pixel[0] = fill ? 255 : 0;
  if (image.mode == PixelMode::i16) {
    const uint16_t value = static_cast<uint16_t>(fill);
    std::memcpy(pixel, &value, sizeof value);
  }
  std::array<uint8_t, 3> rgb;
  convert_row_to_rgb(image.mode, pixel, 1, image.palette.data(), rgb.data());
  return rgb;
}

}  // namespace

Image preprocess_pixels(const Image& image, const PreprocessConfig& config) {
  check_arg(config.height > 0 && config.width > 0, "[preprocess] size must be positive, got {}x{}",
            config.height, config.width);
  check_arg(config.fill >= 0 && config.fill <= 255, "[preprocess] fill must be 0 to 255, got {}",
            config.fill);
  const Size size = resized_size(image, config);
  check_arg(size.height <= kMaxResizedSide && size.width <= kMaxResizedSide,
            "[preprocess] a picture of {}x{} is too narrow: it would be resized to {:.0f}x{:.0f}",
            image.width, image.height, size.width, size.height);
  const int height = static_cast<int>(size.height), width = static_cast<int>(size.width);
  const Placement rows = place(height, config.height);
  const Placement columns = place(width, config.width);

  ResizeOptions options;
  options.interpolation = config.interpolation;
  if (config.resize_mode == ResizeMode::shortest && config.height != config.width) {
    options.interpolation = Interpolation::bicubic;  // as open_clip's ResizeKeepRatio there
  }
  options.window = Window{columns.from, rows.from, columns.count, rows.count};
  const Image seen = resize(image, width, height, options);

  Image out = make_image(PixelMode::rgb, config.width, config.height);
  if (seen.width < out.width || seen.height < out.height) {
    const int fill = config.resize_mode == ResizeMode::longest ? config.fill : 0;
    const auto color = fill_color(image, fill);
    for (size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = color[i % 3];
  }
  for (int y = 0; y < seen.height; ++y) {
    convert_row_to_rgb(seen.mode, seen.row(y), seen.width, seen.palette.data(),
                       out.row(rows.border + y) + 3 * columns.border);
  }
  return out;
}

void preprocess(const Image& image, const PreprocessConfig& config, float* out) {
  if (config.resize_mode == ResizeMode::pad_blur) return blur_resize(image, config, out);
  const Image rgb = preprocess_pixels(image, config);
  const size_t pixels = rgb.pixels.size() / 3;
  for (int c = 0; c < 3; ++c) {
    // Only 256 values can occur, so one table per channel holds torch's result for each.
    std::array<float, 256> value;
    for (int v = 0; v < 256; ++v) {
      value[v] = (static_cast<float>(v) / 255.0f - config.mean[c]) / config.std[c];
    }
    float* plane = out + static_cast<size_t>(c) * pixels;
    for (size_t i = 0; i < pixels; ++i) plane[i] = value[rgb.pixels[3 * i + c]];
  }
}

}  // namespace openclip
