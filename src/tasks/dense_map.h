// Features of every place of a picture. Rank 5.
#pragma once

#include <vector>

#include "image/preprocess.h"
#include "models/model.h"

namespace openclip {

/// Sizes of the picture's shorter side at which maps are taken and averaged, in units of the
/// model's own size: small things need the larger ones.
inline constexpr double kDenseSizes[] = {1, 1.5, 2, 3};

/// features: [rows * cols, embed_dim], row by row, each of length 1.
struct DenseMap {
  int rows = 0, cols = 0;
  std::vector<float> features;
};

/// The whole picture, scaled so that its shorter side is about `side` pixels (both sides rounded to
/// multiples of the model's dense_stride, the longer one at most 4 times `side`), read densely.
/// Throws: Unsupported where the model has no dense features or not in this reading.
DenseMap dense_map(const Context& context, const Model& model, const PreprocessConfig& preprocess,
                   const Image& image, int side, DenseReading reading);

}  // namespace openclip
