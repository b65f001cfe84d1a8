// Vectors as text. Rank 6.
#pragma once

#include <span>
#include <string>

namespace openclip {

/// Appends [0.1,-2e-05,…], each number as the shortest text that gives the same float32: half the
/// bytes of the same numbers as doubles.
void append_json(std::span<const float> values, std::string* out);

/// Appends "…", base64 of the little-endian float32s, as OpenAI's encoding_format base64.
void append_base64(std::span<const float> values, std::string* out);

}  // namespace openclip
