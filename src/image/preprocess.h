// From a decoded picture to what an image tower sees. Rank 3.
#pragma once

#include <array>

#include "image/image.h"
#include "image/resize.h"

namespace openclip {

/// How a picture is fitted to the tower's size; open_clip's `resize_mode`.
enum class ResizeMode {
  shortest,  // shorter side to the size, centre crop
  longest,   // longer side to the size, the rest filled
  squash,    // both sides to the size, aspect ratio lost
  pad_blur,  // a square, grey to the right and below, smoothed and shrunk (OWLv2)
};

/// open_clip's preprocess_cfg of a model; the defaults are those of OpenAI's models.
struct PreprocessConfig {
  int height = 224;
  int width = 224;
  ResizeMode resize_mode = ResizeMode::shortest;
  Interpolation interpolation = Interpolation::bicubic;
  std::array<float, 3> mean = {0.48145466f, 0.4578275f, 0.40821073f};
  std::array<float, 3> std = {0.26862954f, 0.26130258f, 0.27577711f};
  int fill = 0;  // value of the border that `longest` adds, in the picture's own mode
};

/// The picture resized, cropped or filled, and converted to RGB: [height, width] of the config.
/// Sizes: `shortest`, square: the longer side is size * long / short, cut to a whole number; all
/// others are rounded half to even, and at least 1. Offsets of the crop are rounded half to even,
/// those of the border down. `shortest` to a size that is not square is always bicubic.
/// Conversion to RGB comes last, so each mode is resized in its own way (see resize()).
/// Throws: InvalidArgument for sizes that are not positive, where the longer side would pass
/// kMaxResizedSide, and for pad_blur, which makes no whole numbers.
/// Source: open_clip 3.3 transform.py image_transform(is_train=False), torchvision 0.24.
Image preprocess_pixels(const Image& image, const PreprocessConfig& config);

/// preprocess_pixels() as numbers: out[c, y, x] = (value / 255 - mean[c]) / std[c], in f32;
/// pad_blur computes in f32 from the beginning.
/// out: [3, height, width].
void preprocess(const Image& image, const PreprocessConfig& config, float* out);

}  // namespace openclip
