#include "io/hub_cache.h"

#include <algorithm>
#include <filesystem>

#include "base/environment.h"
#include "base/error.h"
#include "base/file.h"

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
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return "";
  std::string text = read_text_file(path.string(), 4096);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

std::string hub_cache_dir() {
  if (const std::string cache = environment("HF_HUB_CACHE"); !cache.empty()) return cache;
  if (const std::string home = environment("HF_HOME"); !home.empty()) return home + "/hub";
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return cache + "/huggingface/hub";
  return environment("HOME") + "/.cache/huggingface/hub";
}

std::vector<std::string> hub_snapshots(const std::string& repo) {
  const size_t slash = repo.find('/');
  check_arg(slash != std::string::npos && is_repo_part(std::string_view(repo).substr(0, slash)) &&
                is_repo_part(std::string_view(repo).substr(slash + 1)),
            "'{}' is no repository of the Hugging Face Hub; write hf-hub:ORG/REPO", repo);
  const fs::path root = fs::path(hub_cache_dir()) /
                        ("models--" + repo.substr(0, slash) + "--" + repo.substr(slash + 1));
  std::error_code none;
  std::vector<std::string> snapshots;
  for (const auto& entry : fs::directory_iterator(root / "snapshots", none))
    if (entry.is_directory(none)) snapshots.push_back(entry.path().string());
  std::sort(snapshots.begin(), snapshots.end());
  const std::string main = (root / "snapshots" / trimmed_file(root / "refs" / "main")).string();
  std::stable_partition(snapshots.begin(), snapshots.end(),
                        [&](const std::string& path) { return path == main; });
  return snapshots;
}

std::optional<std::string> find_in_hub_cache(const std::string& repo, const std::string& file) {
  std::error_code none;
  for (const std::string& snapshot : hub_snapshots(repo)) {
    const fs::path path = fs::path(snapshot) / file;
    if (fs::is_regular_file(path, none)) return path.string();
  }
  return std::nullopt;
}

}  // namespace openclip
