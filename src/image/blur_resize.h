// The preprocessing of OWLv2. Internal to src/image.
#pragma once

#include "image/preprocess.h"

namespace openclip {

/// The picture as RGB of 0 to 1, padded to a square with 0.5 to the right and below, smoothed and
/// shrunk to config.height x config.width, normalised: out [3, height, width].
/// Along each axis of `from` pixels: Gaussian of sigma = max(0, (from / to - 1) / 2), cut at 4
/// sigma and mirrored at the edges without repeating them; then linear between the nearest two at
/// (i + 0.5) from / to - 0.5. The padded square exists only as weights, so memory grows with the
/// picture. Source: transformers image_processing_owlv2.py with scipy.ndimage gaussian_filter and
/// zoom.
void blur_resize(const Image& image, const PreprocessConfig& config, float* out);

}  // namespace openclip
