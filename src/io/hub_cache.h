// The Hugging Face Hub's local cache, as the Python packages lay it out, for reading. Rank 3.
// Layout: <cache>/models--ORG--NAME/{refs/REVISION, snapshots/COMMIT/FILE}.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace openclip {

/// The cache's folder: HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE, else hub_home()/hub. It need not
/// exist.
std::string hub_cache_dir();

/// While it lives, hub_cache_dir() is another folder for this thread; for callers that were told
/// one (open_clip's cache_dir). An empty folder changes nothing. Nests; not to be moved to another
/// thread.
class HubCacheDirScope {
 public:
  explicit HubCacheDirScope(std::string folder);
  HubCacheDirScope(const HubCacheDirScope&) = delete;
  HubCacheDirScope& operator=(const HubCacheDirScope&) = delete;
  ~HubCacheDirScope();

 private:
  std::string before_;
};

/// "org/name" as a folder of the cache: "models--org--name"; "name" as "models--name".
/// Throws: InvalidArgument unless `repo` has the form org/name or name of the Hub's characters.
std::string hub_repo_folder(const std::string& repo);

/// The cached snapshots of "org/name", best first: the one that refs/main names, then the others
/// by name. With a revision other than "main": the snapshot that refs/REVISION names or whose
/// commit it is, and no other. Empty if there is none. Throws: as hub_repo_folder.
std::vector<std::string> hub_snapshots(const std::string& repo, const std::string& revision = "");

/// Path of `file` in the best snapshot that has it.
std::optional<std::string> find_in_hub_cache(const std::string& repo, const std::string& file,
                                             const std::string& revision = "");

/// All repositories of models in the cache as "org/name", sorted.
std::vector<std::string> hub_cached_repos();

}  // namespace openclip
