// From the bytes of a picture to what augmentation works on.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "image/image.h"

namespace openclip::train {

/// Decodes to RGB or RGBA. Throws: ParseError for broken or too large pictures.
std::shared_ptr<const Image> decode_picture(std::span<const uint8_t> bytes,
                                            const std::string& source, int64_t max_pixels);

}  // namespace openclip::train
