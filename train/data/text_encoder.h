// Captions to token ids.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace openclip::train {

/// Ids of a text, from start to end token, at most context_length. Thread-safe.
using TextEncoder = std::function<std::vector<int64_t>(const std::string&)>;

}  // namespace openclip::train
