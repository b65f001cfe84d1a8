#include "image/resize.h"

#include <cstring>

#include "base/error.h"
#include "image/resize_kernels.h"

namespace openclip {
namespace {

Image crop(const Image& image, const Window& window) {
  Image out = make_image(image.mode, window.width, window.height);
  out.palette = image.palette;
  const size_t skip = static_cast<size_t>(window.left) * bytes_per_pixel(image.mode);
  for (int y = 0; y < window.height; ++y) {
    std::memcpy(out.row(y), image.row(window.top + y) + skip, out.row_bytes());
  }
  return out;
}

Box to_single(const Box& box) {
  const auto round = [](double side) { return static_cast<double>(static_cast<float>(side)); };
  return {round(box.left), round(box.top), round(box.right), round(box.bottom)};
}

}  // namespace

Image resize(const Image& image, int width, int height, const ResizeOptions& options) {
  check_arg(width > 0 && height > 0, "[resize] sides must be positive, got {}x{}", width, height);
  check_arg(width <= kMaxResizedSide && height <= kMaxResizedSide,
            "[resize] a side of {}x{} is over {} pixels", width, height, kMaxResizedSide);
  const Box whole{0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  const Box box = options.box ? to_single(*options.box) : whole;
  check_arg(box.left >= 0 && box.top >= 0 && box.left < box.right && box.top < box.bottom &&
                box.right <= whole.right && box.bottom <= whole.bottom,
            "[resize] box {},{},{},{} is empty or outside the picture of {}x{}", box.left, box.top,
            box.right, box.bottom, image.width, image.height);
  const Window window = options.window.value_or(Window{0, 0, width, height});
  check_arg(window.left >= 0 && window.top >= 0 && window.width > 0 && window.height > 0 &&
                window.width <= width - window.left && window.height <= height - window.top,
            "[resize] window {}x{} at {},{} is outside the output of {}x{}", window.width,
            window.height, window.left, window.top, width, height);

  const bool same_box =
      box.left == 0 && box.top == 0 && box.right == whole.right && box.bottom == whole.bottom;
  if (same_box && width == image.width && height == image.height) return crop(image, window);
  const ResizeTask task{image, width, height, box, window, options.interpolation};
  if (image.mode == PixelMode::bit || image.mode == PixelMode::p ||
      options.interpolation == Interpolation::nearest) {
    return resize_nearest(task);
  }
  return resize_filtered(task);
}

}  // namespace openclip
