// Pictures with what was found in them drawn in. Rank 5.
#pragma once

#include <vector>

#include "image/image.h"
#include "tasks/detect.h"

namespace openclip {

/// The picture as RGB with a frame around each detection, in a colour of its label, and the label
/// with its score at the frame's upper edge. Small pictures are enlarged, so that words can be
/// read.
Image annotated(const Image& image, const std::vector<Detection>& found);

}  // namespace openclip
