// The training run.
#pragma once

#include "trainer/options.h"

namespace openclip::train {

/// Trains as asked and returns when done, or after saving when SIGINT or SIGTERM came.
/// Throws: Error with one clear line for anything that stops it.
void train(const Options& options);

}  // namespace openclip::train
