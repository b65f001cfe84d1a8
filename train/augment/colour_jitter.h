// torchvision's ColorJitter and Grayscale on 8-bit RGB pictures.
#pragma once

#include <array>

#include "data/random.h"
#include "image/image.h"

namespace openclip::train {

/// Brightness, contrast, saturation and hue, each changed by a random amount of at most its
/// strength, in random order.
void colour_jitter(Image& rgb, std::array<double, 4> strengths, Random& random);

/// Luma in all three channels.
void to_greyscale(Image& rgb);

}  // namespace openclip::train
