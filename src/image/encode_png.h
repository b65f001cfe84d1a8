// PNG files. Rank 3.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/image.h"

namespace openclip {

/// A picture as the bytes of a PNG file; modes l, la, rgb and rgba, without loss.
/// Throws: InvalidArgument for other modes and for pixels that do not fill the size.
std::vector<uint8_t> encode_png(const Image& image);

/// Writes encode_png(image) to `path`, whole or not at all. Throws: also IoError.
void write_png(const std::string& path, const Image& image);

}  // namespace openclip
