#include "models/cached.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "io/hub_cache.h"
#include "models/config/config_name.h"
#include "models/registry.h"
#include "models/weights_search.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

CachedModel cached(std::string name, const std::string& weights) {
  std::error_code none;
  const auto bytes = fs::file_size(weights, none);
  return {std::move(name), weights, none ? 0 : bytes};
}

}  // namespace

std::vector<CachedModel> cached_models() {
  std::vector<CachedModel> found;
  for (const std::string& model : registry_names())
    for (const PretrainedTag& tag : registry_tags(model))
      if (const WeightsPath weights = find_tag_weights(model, tag); !weights.path.empty())
        found.push_back(cached(model + ":" + tag.tag, weights.path));
  std::error_code none;
  for (const std::string& repo : hub_cached_repos())
    for (const std::string& snapshot : hub_snapshots(repo)) {
      if (!is_file(fs::path(snapshot) / kConfigName) &&
          !is_file(fs::path(snapshot) / kTransformersConfigName))
        continue;
      const WeightsPath weights = find_weights_in_folder(snapshot);
      if (!weights.path.empty()) found.push_back(cached("hf-hub:" + repo, weights.path));
      break;
    }
  std::sort(found.begin(), found.end(),
            [](const CachedModel& a, const CachedModel& b) { return a.name < b.name; });
  return found;
}

}  // namespace openclip
