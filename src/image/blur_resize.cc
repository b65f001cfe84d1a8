#include "image/blur_resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "image/convert.h"

namespace openclip {
namespace {

constexpr float kPadding = 0.5f;
constexpr double kTruncate = 4;  // sigmas, scipy's default

// One output sample: weights of inputs from `first` on, and the weight of the padding beyond them.
struct Mix {
  int64_t first = 0;
  std::vector<float> weights;
  float padding = 0;
};

// scipy's mode mirror: d c b | a b c d | c b a.
int64_t mirrored(int64_t at, int64_t size) {
  if (size == 1) return 0;
  const int64_t period = 2 * (size - 1);
  at = ((at % period) + period) % period;
  return at < size ? at : period - at;
}

std::vector<double> gaussian(double sigma) {
  const auto radius = static_cast<int64_t>(kTruncate * sigma + 0.5);
  std::vector<double> weights(static_cast<size_t>(2 * radius + 1));
  double sum = 0;
  for (int64_t i = -radius; i <= radius; ++i)
    sum += weights[static_cast<size_t>(i + radius)] =
        sigma > 0 ? std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma)) : 1;
  for (double& weight : weights) weight /= sum;
  return weights;
}

// Smoothing and interpolation of one axis as one set of weights: `seen` of `size` inputs are those
// of the picture, the others padding.
std::vector<Mix> axis_mixes(int64_t size, int64_t seen, int64_t to) {
  const double factor = static_cast<double>(size) / static_cast<double>(to);
  const std::vector<double> blur = gaussian(std::max(0.0, (factor - 1) / 2));
  const int64_t radius = static_cast<int64_t>(blur.size() / 2);
  std::vector<Mix> mixes;
  for (int64_t i = 0; i < to; ++i) {
    const double at = (static_cast<double>(i) + 0.5) * factor - 0.5;
    const auto low = static_cast<int64_t>(std::floor(at));
    const double part = at - static_cast<double>(low);
    std::vector<std::pair<int64_t, double>> terms;
    int64_t first = size, last = -1;
    for (const auto& [centre, share] : {std::pair(low, 1 - part), std::pair(low + 1, part)})
      for (int64_t j = -radius; j <= radius; ++j) {
        const int64_t from = mirrored(mirrored(centre, size) + j, size);
        terms.emplace_back(from, share * blur[static_cast<size_t>(j + radius)]);
        if (from < seen) first = std::min(first, from), last = std::max(last, from);
      }
    Mix mix{std::min(first, seen),
            std::vector<float>(static_cast<size_t>(std::max<int64_t>(0, last - first + 1))), 0};
    std::vector<double> sums(mix.weights.size());
    double padding = 0;
    for (const auto& [from, weight] : terms)
      (from < seen ? sums[static_cast<size_t>(from - first)] : padding) += weight;
    std::copy(sums.begin(), sums.end(), mix.weights.begin());
    mix.padding = static_cast<float>(padding);
    mixes.push_back(std::move(mix));
  }
  return mixes;
}

// Rows of a plane of three channels.
struct Plane {
  int64_t height, width;
  std::vector<float> values;  // [height, width, 3]

  Plane(int64_t height_in, int64_t width_in)
      : height(height_in), width(width_in), values(static_cast<size_t>(height * width * 3)) {}
  float* at(int64_t y, int64_t x) { return &values[static_cast<size_t>((y * width + x) * 3)]; }
};

// out[i] = sum of the inputs `step` floats apart, three channels each.
void mix_line(const Mix& mix, const float* line, int64_t step, float* out) {
  float sum[3] = {};
  const float* from = line + mix.first * step;
  for (const float weight : mix.weights) {
    for (int c = 0; c < 3; ++c) sum[c] += weight * from[c];
    from += step;
  }
  for (int c = 0; c < 3; ++c) out[c] = sum[c] + mix.padding * kPadding;
}

Plane mix_columns(Plane& from, const std::vector<Mix>& mixes) {
  Plane out(from.height, static_cast<int64_t>(mixes.size()));
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x)
      mix_line(mixes[static_cast<size_t>(x)], from.at(y, 0), 3, out.at(y, x));
  return out;
}

Plane mix_rows(Plane& from, const std::vector<Mix>& mixes) {
  Plane out(static_cast<int64_t>(mixes.size()), from.width);
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x)
      mix_line(mixes[static_cast<size_t>(y)], from.at(0, x), 3 * from.width, out.at(y, x));
  return out;
}

}  // namespace

void blur_resize(const Image& image, const PreprocessConfig& config, float* out) {
  const Image rgb = convert_to_rgb(image);
  const int64_t size = std::max(rgb.width, rgb.height);
  Plane plane(rgb.height, rgb.width);
  for (size_t i = 0; i < rgb.pixels.size(); ++i)
    plane.values[i] = static_cast<float>(rgb.pixels[i] * (1 / 255.0));
  const std::vector<Mix> columns = axis_mixes(size, rgb.width, config.width);
  const std::vector<Mix> rows = axis_mixes(size, rgb.height, config.height);
  // Both axes are independent; the one that leaves less comes first.
  const bool rows_first = rgb.height > rgb.width;
  plane = rows_first ? mix_rows(plane, rows) : mix_columns(plane, columns);
  plane = rows_first ? mix_columns(plane, columns) : mix_rows(plane, rows);
  const size_t pixels = plane.values.size() / 3;
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < pixels; ++i)
      out[c * pixels + i] = (plane.values[3 * i + c] - config.mean[c]) / config.std[c];
}

}  // namespace openclip
