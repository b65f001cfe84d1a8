// Image.convert("RGB") of every mode. Rank 3.
#pragma once

#include "image/image.h"

namespace openclip {

/// Converts one row of `count` pixels to RGB; `palette` is Image::palette, for PixelMode::p.
void convert_row_to_rgb(PixelMode mode, const uint8_t* pixels, int count, const uint8_t* palette,
                        uint8_t* rgb);

/// Pillow's Image.convert("RGB"): grey is repeated, alpha dropped, indices looked up, 16-bit grey
/// clipped (not scaled) to 255, CMYK by value = (255 - k) - (255 - k) * ink / 255, rounded.
Image convert_to_rgb(const Image& image);

/// Premultiplied colour of LA and RGBA rows, and back, in place, with Pillow's rounding:
/// c * a / 255 to the nearest, and 255 * c / a cut to whole numbers and to 255.
void premultiply_row(uint8_t* pixels, int count, int channels);
void unpremultiply_row(uint8_t* pixels, int count, int channels);

}  // namespace openclip
