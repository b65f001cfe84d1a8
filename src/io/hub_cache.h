// The Hugging Face Hub's local cache, as the Python packages lay it out, read only. Rank 3.
// Layout: <cache>/models--ORG--NAME/{refs/REVISION, snapshots/COMMIT/FILE}.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace openclip {

/// The cache's folder: HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else
/// ~/.cache/huggingface/hub. It need not exist.
std::string hub_cache_dir();

/// The cached snapshots of "org/name", best first: the one that refs/main names, then the others
/// by name. Empty if the repository is not in the cache.
/// Throws: InvalidArgument unless `repo` has the form org/name of the Hub's characters.
std::vector<std::string> hub_snapshots(const std::string& repo);

/// Path of `file` in the best snapshot that has it.
std::optional<std::string> find_in_hub_cache(const std::string& repo, const std::string& file);

}  // namespace openclip
