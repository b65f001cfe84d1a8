// torchvision's RandomResizedCrop: which part of the picture is taken.
#pragma once

#include <array>

#include "data/random.h"
#include "image/resize.h"

namespace openclip::train {

/// A box with an area of `scale` times the picture's and a log-uniform aspect ratio, in whole
/// pixels; after ten misses the largest centred box within the ratios.
/// Source: torchvision transforms.RandomResizedCrop.get_params.
Box random_crop(int width, int height, std::array<double, 2> scale, std::array<double, 2> ratio,
                Random& random);

}  // namespace openclip::train
