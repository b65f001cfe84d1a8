// Damage that pictures suffer on their way: softness, thick or thin strokes, low contrast, JPEG
// blocks, noise, missing parts.
#pragma once

#include "augment/canvas.h"
#include "data/random.h"

namespace openclip::train {

/// Each kind with its own small probability; works on the opaque colours of `canvas`.
void degrade(Canvas& canvas, Random& random);

/// What quantising 8x8 DCT blocks does, in RGB; `strength` 0..1 sets the step of the quantiser.
/// Sizes that are no multiple of 8 keep their last rows and columns.
void block_compress(Canvas& canvas, float strength);

}  // namespace openclip::train
