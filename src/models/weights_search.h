// Finding a model's weights on this machine. Rank 4.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/registry.h"

namespace openclip {

/// A weights file, or why there is none and what to do; exactly one of the two is set.
struct WeightsPath {
  std::string path;
  std::string problem;
};

/// Which of a folder's files are the weights: open_clip's names in open_clip's order, then any
/// other .safetensors file by name. PyTorch files come last of these.
std::optional<std::string> choose_weights_name(std::vector<std::string> files);

/// The weights in a model's folder, as choose_weights_name says.
WeightsPath find_weights_in_folder(const std::string& folder);

/// The files of a tag's repository that may hold its weights, best first: safetensors, then what
/// the registry or open_clip's custom names.
std::vector<std::string> tag_weights_files(const PretrainedTag& tag);

/// The published weights of a tag on this machine: in the Hugging Face Hub's cache, or in
/// ~/.cache/clip where open_clip puts those from plain addresses.
WeightsPath find_tag_weights(const std::string& model, const PretrainedTag& tag);

}  // namespace openclip
