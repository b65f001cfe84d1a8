#include "models/preprocess_config.h"

namespace openclip {

PreprocessConfig preprocess_config(const ModelConfig& config) {
  const PreprocessSettings& from = config.preprocess;
  PreprocessConfig to;
  to.height = to.width = config.vision.image_size;
  to.resize_mode = from.resize_mode == "longest"    ? ResizeMode::longest
                   : from.resize_mode == "squash"   ? ResizeMode::squash
                   : from.resize_mode == "pad_blur" ? ResizeMode::pad_blur
                                                    : ResizeMode::shortest;
  to.interpolation =
      from.interpolation == "bilinear" ? Interpolation::bilinear : Interpolation::bicubic;
  to.mean = from.mean;
  to.std = from.std;
  to.fill = from.fill_color;
  return to;
}

}  // namespace openclip
