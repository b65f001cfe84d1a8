// Finding a model's weights on this machine. Rank 4.
#pragma once

#include <string>

#include "models/registry.h"

namespace openclip {

/// A weights file, or why there is none and what to do; exactly one of the two is set.
struct WeightsPath {
  std::string path;
  std::string problem;
};

/// The weights in a model's folder: open_clip's names in open_clip's order, then any other
/// .safetensors file by name, then any PyTorch file.
WeightsPath find_weights_in_folder(const std::string& folder);

/// The published weights of a tag in the Hugging Face Hub's cache.
WeightsPath find_tag_weights(const std::string& model, const PretrainedTag& tag);

}  // namespace openclip
