// From a decoded picture to a row of the training batch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "augment/style.h"
#include "data/random.h"
#include "image/image.h"
#include "models/config/model_config.h"

namespace openclip::train {

/// open_clip's AugmentationCfg, and our `style` family for drawings.
struct AugmentOptions {
  std::array<double, 2> scale = {0.9, 1.0};
  std::array<double, 2> ratio = {3.0 / 4, 4.0 / 3};
  std::array<double, 4> color_jitter = {0, 0, 0, 0};  // brightness, contrast, saturation, hue
  double color_jitter_prob = 0;
  double gray_scale_prob = 0;
  double flip_prob = 0;  // left and right exchanged
  double blur_prob = 0;  // Gaussian of 0.1 to 2 pixels at size 224, in proportion
  StyleOptions style;

  /// SimCLR's augmentations: Chen et al. 2020, appendix A, at full strength.
  static AugmentOptions simclr();

  /// Reads open_clip's "--aug-cfg key=value …" (`flag`). Keys: scale, ratio (two numbers),
  /// color_jitter (one, three or four), color_jitter_prob, gray_scale_prob, flip_prob, blur_prob,
  /// style, style_scale, style_rotate, style_shear, style_translate. Throws: InvalidArgument.
  void parse(const std::vector<std::string>& assignments, const std::string& flag = "--aug-cfg");
};

/// What the picture's owner allows.
struct PicturePermissions {
  bool flip = false;
  bool recolour = true;
};

class Augmenter {
 public:
  /// size: side of the model's input.
  Augmenter(const AugmentOptions& options, const PreprocessSettings& preprocess, int size);

  /// Writes normalised pixels [size, size, 3] (channels last) and, unless null, the shape
  /// descriptor of the clean picture (hog.h). Thread-safe.
  void augment(const Image& picture, const PicturePermissions& permissions, Random random,
               float* pixels, float* hog) const;

 private:
  void crop_and_jitter(const Image& picture, Random& random, float* pixels) const;
  void write(float r, float g, float b, float* pixel) const;

  AugmentOptions options_;
  int size_;
  std::array<float, 3> scale_, offset_;  // value in 0..1 -> value * scale - offset
};

}  // namespace openclip::train
