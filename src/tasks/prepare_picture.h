// What every stream of pictures does with each of them. Rank 5.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "image/preprocess.h"

namespace openclip {

/// The picture as the image tower takes it, [3, height, width] of the config.
std::vector<float> tower_pixels(const Image& image, const PreprocessConfig& config);

/// Runs `work`, which reads or decodes one picture. Returns what was wrong, in one line that names
/// the picture; empty if nothing was. Throws: Internal, which no picture is to blame for.
std::string picture_problem(const std::string& name, const std::function<void()>& work);

}  // namespace openclip
