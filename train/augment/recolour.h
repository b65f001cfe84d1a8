// Changes of colour that leave the shapes alone.
#pragma once

#include "augment/canvas.h"
#include "data/random.h"

namespace openclip::train {

/// One randomly chosen change: hue rotation with other saturation, permuted channels, few flat
/// colours, greyscale, one flat colour, or brightness turned around.
void recolour(Canvas& canvas, Random& random);

/// A colour that is anything from pale to dark; `value` limits the brightest channel.
Colour random_colour(Random& random, double value_low = 0, double value_high = 1);

}  // namespace openclip::train
