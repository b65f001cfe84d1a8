// Which models have been downloaded to this machine. Rank 4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace openclip {

struct CachedModel {
  std::string name;     // "ViT-B-32:laion2b_s34b_b79k" or "hf-hub:org/name", as commands take it
  std::string weights;  // path
  uint64_t bytes = 0;   // of the weights
};

/// The registry's tags whose weights are here, then the other repositories of open_clip models in
/// the Hub's cache; by name. Only those with weights.
std::vector<CachedModel> cached_models();

}  // namespace openclip
