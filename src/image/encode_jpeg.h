// JPEG files. Rank 3.
#pragma once

#include <cstdint>
#include <vector>

#include "image/image.h"

namespace openclip {

/// A picture as the bytes of a baseline JPEG file. What is transparent becomes white.
/// quality: 1 to 100, libjpeg's scale. Throws: InvalidArgument for sides over 65,500 pixels.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality = 85);

}  // namespace openclip
