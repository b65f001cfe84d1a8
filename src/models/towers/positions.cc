#include "models/towers/positions.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace openclip {
namespace {

// Keys' cubic convolution kernel with a = -0.5, zero from 2 on.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

// The inputs that one output is made of, and how much of each.
struct Window {
  int64_t begin = 0;
  std::vector<double> weights;
};

std::vector<Window> cubic_windows(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(1.0, scale);  // antialias: the kernel covers what it replaces
  const double support = 2 * stretch;
  std::vector<Window> windows;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = scale * (static_cast<double>(i) + 0.5);
    Window window;
    window.begin = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const int64_t end = std::min(from, static_cast<int64_t>(centre + support + 0.5));
    double sum = 0;
    for (int64_t j = window.begin; j < end; ++j) {
      window.weights.push_back(cubic((static_cast<double>(j) - centre + 0.5) / stretch));
      sum += window.weights.back();
    }
    for (double& weight : window.weights) weight /= sum;
    windows.push_back(std::move(window));
  }
  return windows;
}

// out = sum over the window of rows that are `step` apart; each row is `width` floats.
void mix(const Window& window, const float* rows, int64_t step, int64_t width, float* out) {
  for (int64_t c = 0; c < width; ++c) {
    double sum = 0;
    for (size_t j = 0; j < window.weights.size(); ++j)
      sum += window.weights[j] * rows[(window.begin + static_cast<int64_t>(j)) * step + c];
    out[c] = static_cast<float>(sum);
  }
}

Tensor like(const Tensor& tensor, int64_t rows) {
  std::vector<int64_t> dims = tensor.shape().dims();
  dims[dims.size() - 2] = rows;
  return Tensor(Shape(dims));
}

}  // namespace

int64_t square_root(int64_t number) {
  const auto root = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(number))));
  return root * root == number ? root : -1;
}

Tensor resize_grid_positions(const Tensor& positions, int64_t prefix, int64_t rows, int64_t cols) {
  const ConstMatrix from = positions.matrix();
  const int64_t old = square_root(from.rows - prefix), width = from.cols;
  check_arg(old > 0 && rows > 0 && cols > 0, "[positions] {} rows after {} are no square grid",
            from.rows - prefix, prefix);
  Tensor out = like(positions, prefix + rows * cols);
  std::memcpy(out.data(), from.data, sizeof(float) * static_cast<size_t>(prefix * width));
  const std::vector<Window> across = cubic_windows(old, cols), down = cubic_windows(old, rows);
  // Columns first, as torch does; f32 between the passes, as there.
  std::vector<float> wide(static_cast<size_t>(old * cols * width));
  for (int64_t y = 0; y < old; ++y)
    for (int64_t x = 0; x < cols; ++x)
      mix(across[static_cast<size_t>(x)], from.row(prefix + y * old), width, width,
          &wide[static_cast<size_t>((y * cols + x) * width)]);
  for (int64_t y = 0; y < rows; ++y)
    for (int64_t x = 0; x < cols; ++x)
      mix(down[static_cast<size_t>(y)], &wide[static_cast<size_t>(x * width)], cols * width, width,
          out.data() + (prefix + y * cols + x) * width);
  return out;
}

Tensor resize_text_positions(const Tensor& positions, int64_t length) {
  const ConstMatrix from = positions.matrix();
  check_arg(from.rows > 0 && length > 0, "[positions] cannot make {} positions of {}", length,
            from.rows);
  Tensor out = like(positions, length);
  const double scale = static_cast<double>(from.rows) / static_cast<double>(length);
  for (int64_t i = 0; i < length; ++i) {
    const double place = std::max(0.0, scale * (static_cast<double>(i) + 0.5) - 0.5);
    const auto low = static_cast<int64_t>(place);
    const int64_t high = std::min(low + 1, from.rows - 1);
    const double part = place - static_cast<double>(low);
    for (int64_t c = 0; c < from.cols; ++c)
      out.data()[i * from.cols + c] =
          static_cast<float>((1 - part) * from.row(low)[c] + part * from.row(high)[c]);
  }
  return out;
}

}  // namespace openclip
