// Blur and reflection of 8-bit RGB pictures.
#pragma once

#include "image/image.h"

namespace openclip::train {

/// Convolution with a Gaussian of standard deviation `sigma` pixels, cut off at 3 sigma; beyond the
/// border the picture is mirrored. Source: torchvision transforms.GaussianBlur.
void gaussian_blur(Image& rgb, double sigma);

/// Left and right exchanged.
void mirror(Image& rgb);

}  // namespace openclip::train
