#include "tasks/dense_map.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "image/convert.h"
#include "tasks/features.h"

namespace openclip {

DenseMap dense_map(const Context& context, const Model& model,
                   const PreprocessConfig& preprocess_as, const Image& image, int side,
                   DenseReading reading) {
  const auto stride = static_cast<int>(model.dense_stride());
  if (stride == 0) throw Unsupported("this model's image tower has no dense features; use windows");
  const double scale = static_cast<double>(side) / std::min(image.width, image.height);
  const auto cells = [&](int pixels) {
    const double scaled = std::min(pixels * scale, 4.0 * side);
    return std::max(1, static_cast<int>(std::lround(scaled / stride)));
  };
  DenseMap map{cells(image.height), cells(image.width), {}};
  PreprocessConfig config = preprocess_as;
  config.height = map.rows * stride;
  config.width = map.cols * stride;
  config.resize_mode = ResizeMode::squash;
  std::vector<float> pixels(size_t{3} * static_cast<size_t>(config.height) *
                            static_cast<size_t>(config.width));
  preprocess(convert_to_rgb(image), config, pixels.data());
  const int64_t dim = model.config().embed_dim;
  map.features.resize(static_cast<size_t>(map.rows) * static_cast<size_t>(map.cols) *
                      static_cast<size_t>(dim));
  model.encode_dense(context, {pixels.data(), config.height, config.width, reading},
                     map.features.data());
  normalize_rows(map.features, dim);
  return map;
}

}  // namespace openclip
