// Histogram of oriented gradients: a description of shape that drawing style hardly touches.
#pragma once

#include <vector>

#include "augment/canvas.h"

namespace openclip::train {

inline constexpr int kHogCells = 8;  // along each side
inline constexpr int kHogBins = 9;   // unsigned orientations
inline constexpr int kHogLength = kHogCells * kHogCells * kHogBins;

/// The descriptor of a clean drawing on white: at each pixel the strongest gradient of red, green,
/// blue and coverage votes, bilinearly in place and orientation; cells are normalised by the energy
/// of their 3x3 neighbourhood, clipped at 0.4 and the whole scaled to L2 norm 1.
/// Layout: [cell row, cell column, bin]; kHogLength values.
void hog_descriptor(const Canvas& canvas, float* out);

}  // namespace openclip::train
