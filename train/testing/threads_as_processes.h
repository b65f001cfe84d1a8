// Several "processes" of a job as threads of a test, talking through Gloo as real ones do.
#pragma once

#include <functional>

#include "dist/communicator.h"

namespace openclip::train {

/// Calls `run` in `size` threads at once, each with its own communicator; passes on what one
/// throws.
void threads_as_processes(int size, const std::function<void(Communicator&)>& run);

}  // namespace openclip::train
