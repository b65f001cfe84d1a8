// Detections as the commands and the server print them. Rank 5.
#pragma once

#include "io/json.h"
#include "tasks/detect.h"

namespace openclip {

/// [x0, y0, x1, y1], to hundredths of a pixel.
OrderedJson box_json(const Detection& found);

/// {"label", "score", "box"}.
OrderedJson detection_json(const Detection& found);

}  // namespace openclip
