// What a drawing is put on.
#pragma once

#include "augment/canvas.h"
#include "data/random.h"

namespace openclip::train {

/// White half of the time; else a plain colour, a gradient, noise, black or grey.
Canvas random_background(int size, Random& random);

/// background * (1 - alpha) + colour * alpha, into `background`.
void composite(const Canvas& drawing, Canvas& background);

}  // namespace openclip::train
