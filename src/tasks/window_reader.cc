#include "tasks/window_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "image/convert.h"

namespace openclip {
namespace {

constexpr size_t kWindowsAtOnce = 32;  // windows at once; bounds memory
constexpr double kStep = 0.25;         // of a window's side
constexpr double kNextSize = 0.7071068;
constexpr double kLongest = 8;  // shorter sides; longer pictures get no more windows

Image cropped(const Image& image, const BoxCorners& box) {
  const auto corner = [](double at, int most) {
    return std::clamp(static_cast<int>(std::lround(at)), 0, most);
  };
  const int left = corner(box[0], image.width - 1), top = corner(box[1], image.height - 1);
  const int width = std::max(1, corner(box[2], image.width) - left);
  const int height = std::max(1, corner(box[3], image.height) - top);
  Image out = make_image(PixelMode::rgb, width, height);
  for (int y = 0; y < height; ++y)
    std::memcpy(out.row(y), image.row(top + y) + size_t{3} * static_cast<size_t>(left),
                out.row_bytes());
  return out;
}

// Left edges of windows of `side` along `length`, of which `most` count.
std::vector<double> starts(double length, double side, double most) {
  const double counted = std::min(length, most) - side;
  const auto steps = static_cast<int>(std::ceil(counted / (side * kStep) - 1e-9));
  std::vector<double> out;
  for (int i = 0; i <= steps; ++i) out.push_back((length - side) * i / std::max(steps, 1));
  return out;
}

}  // namespace

WindowReader::WindowReader(const Context& context, const Model& model,
                           const PreprocessConfig& config, const Image& image,
                           std::function<void()> between_passes)
    : context_(context),
      model_(model),
      config_(config),
      image_(convert_to_rgb(image)),
      between_passes_(std::move(between_passes)) {
  if (config_.resize_mode == ResizeMode::shortest) config_.resize_mode = ResizeMode::squash;
}

std::vector<float> WindowReader::features(const std::vector<BoxCorners>& windows) const {
  const auto dim = static_cast<size_t>(model_.config().embed_dim);
  const size_t each = size_t{3} * static_cast<size_t>(config_.height) * config_.width;
  std::vector<float> out(windows.size() * dim),
      pixels(std::min(kWindowsAtOnce, windows.size()) * each);
  for (size_t begin = 0; begin < windows.size(); begin += kWindowsAtOnce) {
    if (between_passes_) between_passes_();
    const size_t count = std::min(kWindowsAtOnce, windows.size() - begin);
    parallel_for(context_.threads(), count, 1, [&](size_t from, size_t to, int) {
      for (size_t i = from; i < to; ++i)
        preprocess(cropped(image_, windows[begin + i]), config_, &pixels[i * each]);
    });
    model_.encode_image(context_, pixels.data(), static_cast<int64_t>(count), &out[begin * dim]);
  }
  return out;
}

std::vector<BoxCorners> window_pyramid(int width, int height, double smallest) {
  check_arg(smallest >= 0.02 && smallest <= 1, "windows must be 0.02 to 1 of the picture, got {}",
            smallest);
  std::vector<BoxCorners> out;
  if (width != height)
    out.push_back({0, 0, static_cast<double>(width), static_cast<double>(height)});
  const double shorter = std::min(width, height);
  for (double part = 1; part >= smallest * 0.99; part *= kNextSize) {
    const double side = shorter * part;
    for (const double top : starts(height, side, kLongest * shorter))
      for (const double left : starts(width, side, kLongest * shorter))
        out.push_back({left, top, left + side, top + side});
  }
  return out;
}

}  // namespace openclip
