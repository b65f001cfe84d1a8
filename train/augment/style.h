// The augmentation of RGBA drawings (ours; open_clip has none): placed by a small affine map, then
// drawn anew in another style and put on a background. Off unless --aug-cfg style=P is given.
#pragma once

#include "augment/canvas.h"
#include "augment/geometry.h"
#include "data/random.h"
#include "image/image.h"

namespace openclip::train {

struct StyleOptions {
  double probability = 0;  // of restyling; 0 with `enabled` = placement and background only
  bool enabled = false;
  GeometryOptions geometry;
};

/// Colours and lines: with probability `options.probability` any mixture of changed colours, drawn
/// lines and damage; always a random background. Reads the clean drawing, returns an opaque canvas.
/// may_recolour: false where the caption names a colour.
Canvas restyle(const Canvas& clean, const StyleOptions& options, bool may_recolour, Random& random);

}  // namespace openclip::train
