// Drawn lines: contours around the silhouette and along inner edges.
#pragma once

#include "augment/canvas.h"
#include "data/random.h"

namespace openclip::train {

/// Where lines go and what happens to the fill between them.
enum class LineStyle { none, silhouette, contours, line_art };

/// Coverage of the lines of a clean drawing, about `thickness` dilation steps wide (each adds a
/// pixel on both sides together); with `inner`, edges of brightness inside the silhouette too.
Plane find_lines(const Canvas& canvas, bool inner, int thickness, Random& random);

/// Replaces the fill of line art: white mostly, else nothing or a pale colour.
void clear_fill(Canvas& canvas, Random& random);

}  // namespace openclip::train
