// Names of the ways to read an image tower densely, for command lines and requests. Rank 5.
#pragma once

#include <string>
#include <vector>

#include "models/dense.h"

namespace openclip {

/// "auto", "clearclip", "naclip", "sclip", "values", "pooled".
const std::vector<std::string>& dense_reading_names();

/// Throws: InvalidArgument for other names.
DenseReading dense_reading_of(const std::string& name);

}  // namespace openclip
