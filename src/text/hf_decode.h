// From tokens back to text. Rank 3.
#pragma once

#include <string>
#include <vector>

#include "text/hf_definition.h"

namespace openclip {

/// The text of the ids, which must be of the vocabulary; without the space that a text begins or
/// ends with. Malformed bytes become U+FFFD.
std::string decode_tokens(const HfDefinition& definition, const std::vector<int32_t>& ids);

}  // namespace openclip
