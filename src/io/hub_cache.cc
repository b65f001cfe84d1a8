#include "io/hub_cache.h"

#include <algorithm>
#include <filesystem>

#include "base/environment.h"
#include "base/error.h"
#include "base/file.h"
#include "io/hub/settings.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

// The Hub's rule; it also keeps a name from climbing out of the cache.
bool is_repo_part(std::string_view part) {
  if (part.empty() || part.front() == '.') return false;
  return std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

std::string trimmed_file(const fs::path& path) {
  if (!is_file(path)) return "";
  std::string text = read_text_file(path.string(), 4096);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

thread_local std::string chosen_cache_dir;  // of the innermost HubCacheDirScope

}  // namespace

HubCacheDirScope::HubCacheDirScope(std::string folder) : before_(chosen_cache_dir) {
  if (!folder.empty()) chosen_cache_dir = std::move(folder);
}

HubCacheDirScope::~HubCacheDirScope() { chosen_cache_dir = std::move(before_); }

std::string hub_cache_dir() {
  if (!chosen_cache_dir.empty()) return chosen_cache_dir;
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const std::string cache = environment(name); !cache.empty()) return expand_path(cache);
  return hub_home() + "/hub";
}

std::string hub_repo_folder(const std::string& repo) {
  const size_t slash = repo.find('/');
  // The Hub's oldest repositories have no owner: bert-base-uncased.
  if (slash == std::string::npos && is_repo_part(repo)) return "models--" + repo;
  check_arg(slash != std::string::npos && is_repo_part(std::string_view(repo).substr(0, slash)) &&
                is_repo_part(std::string_view(repo).substr(slash + 1)),
            "'{}' is no repository of the Hugging Face Hub; write hf-hub:ORG/REPO", repo);
  return "models--" + repo.substr(0, slash) + "--" + repo.substr(slash + 1);
}

std::vector<std::string> hub_snapshots(const std::string& repo, const std::string& revision) {
  const fs::path root = fs::path(hub_cache_dir()) / hub_repo_folder(repo);
  std::error_code none;
  if (!revision.empty() && revision != "main") {
    const std::string commit = trimmed_file(root / "refs" / revision);
    const fs::path wanted = root / "snapshots" / (commit.empty() ? revision : commit);
    if (!fs::is_directory(wanted, none)) return {};
    return {wanted.string()};
  }
  std::vector<std::string> snapshots;
  for (const auto& entry : fs::directory_iterator(root / "snapshots", none))
    if (entry.is_directory(none)) snapshots.push_back(entry.path().string());
  std::sort(snapshots.begin(), snapshots.end());
  const std::string main = (root / "snapshots" / trimmed_file(root / "refs" / "main")).string();
  std::stable_partition(snapshots.begin(), snapshots.end(),
                        [&](const std::string& path) { return path == main; });
  return snapshots;
}

std::vector<std::string> hub_cached_repos() {
  constexpr std::string_view kPrefix = "models--";
  std::error_code none;
  std::vector<std::string> repos;
  for (const auto& entry : fs::directory_iterator(hub_cache_dir(), none)) {
    const std::string name = entry.path().filename().string();
    const size_t middle = name.find("--", kPrefix.size());
    if (!name.starts_with(kPrefix) || middle == std::string::npos) continue;
    const std::string org = name.substr(kPrefix.size(), middle - kPrefix.size());
    const std::string repo = name.substr(middle + 2);
    if (is_repo_part(org) && is_repo_part(repo)) repos.push_back(org + "/" + repo);
  }
  std::sort(repos.begin(), repos.end());
  return repos;
}

std::optional<std::string> find_in_hub_cache(const std::string& repo, const std::string& file,
                                             const std::string& revision) {
  for (const std::string& snapshot : hub_snapshots(repo, revision)) {
    const fs::path path = fs::path(snapshot) / file;
    if (is_file(path)) return path.string();
  }
  return std::nullopt;
}

}  // namespace openclip
