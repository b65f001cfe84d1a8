#include <algorithm>
#include <cstring>

#include "image/resize_kernels.h"

namespace openclip {
namespace {

// Input position of each output in [begin, begin + count). Where Pillow steps from one position to
// the next, its rounding errors decide ties; so the same is done here, except for 16-bit pixels.
std::vector<int> positions(double low, double high, int out_size, int begin, int count, int in_size,
                           bool stepped) {
  const double step = (high - low) / out_size;
  double position = low + step * 0.5;
  for (int i = 0; i < begin; ++i) position += step;
  std::vector<int> result;
  for (int i = 0; i < count; ++i, position += step) {
    if (!stepped) position = low + step * (begin + i + 0.5);
    result.push_back(std::min(static_cast<int>(position), in_size - 1));
  }
  return result;
}

template <int kBytes>
void pick(const uint8_t* in, const std::vector<int>& columns, uint8_t* out) {
  for (size_t x = 0; x < columns.size(); ++x) {
    std::memcpy(out + kBytes * x, in + static_cast<size_t>(columns[x]) * kBytes, kBytes);
  }
}

}  // namespace

Image resize_nearest(const ResizeTask& task) {
  const Image& image = task.image;
  const Window& window = task.window;
  const bool stepped = image.mode != PixelMode::i16;
  const auto columns = positions(task.box.left, task.box.right, task.width, window.left,
                                 window.width, image.width, stepped);
  const auto rows = positions(task.box.top, task.box.bottom, task.height, window.top, window.height,
                              image.height, stepped);
  Image out = make_image(image.mode, window.width, window.height);
  out.palette = image.palette;
  const int bytes = bytes_per_pixel(image.mode);
  const auto pick_row = bytes == 1   ? pick<1>
                        : bytes == 2 ? pick<2>
                        : bytes == 3 ? pick<3>
                                     : pick<4>;
  for (int y = 0; y < window.height; ++y) pick_row(image.row(rows[y]), columns, out.row(y));
  return out;
}

}  // namespace openclip
