// Random affine placement of an RGBA drawing on a square canvas.
#pragma once

#include "augment/canvas.h"
#include "data/random.h"
#include "image/image.h"

namespace openclip::train {

/// Ranges of the random placement. Defaults are mild: a drawing turned or squeezed much further is
/// no longer how anyone draws the thing.
struct GeometryOptions {
  double scale_low = 0.70, scale_high = 1.05;  // longest side of the drawing / side of the canvas
  double rotate_degrees = 12;
  double shear = 0.10;
  double aspect = 0.10;     // log ratio of horizontal to vertical scale
  double translate = 0.10;  // of the canvas, beyond what stays free anyway
  double identity = 0.15;   // probability of no rotation, shear or aspect change
};

/// Samples `picture` (RGB or RGBA) onto a canvas. Colours of uncovered pixels are those of the
/// nearest ink only in the limit, so treat them as undefined.
Canvas place(const Image& picture, int size, bool may_flip, const GeometryOptions& options,
             Random& random);

/// As `place`, centred, longest side fills the canvas: what evaluation sees.
Canvas place_plain(const Image& picture, int size);

}  // namespace openclip::train
