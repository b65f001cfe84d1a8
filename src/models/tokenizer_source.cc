#include "models/tokenizer_source.h"

#include "base/error.h"
#include "io/http/errors.h"
#include "io/hub_cache.h"
#include "text/hf_folder.h"

namespace openclip {
namespace {

// Names of repositories are also paths of folders and plain names in old configs.
bool is_repository(const std::string& name) {
  try {
    hub_repo_folder(name);
    return true;
  } catch (const InvalidArgument&) {
    return false;
  }
}

}  // namespace

std::optional<std::string> local_tokenizer_folder(const ModelSource& source) {
  const std::string& name = source.config.text.hf_tokenizer_name;
  if (name.empty()) return std::nullopt;
  if (!source.folder.empty() && has_hf_tokenizer(source.folder)) return source.folder;
  if (!is_repository(name)) return std::nullopt;
  for (const std::string& snapshot : hub_snapshots(name))
    if (has_hf_tokenizer(snapshot)) return snapshot;
  return std::nullopt;
}

std::string find_tokenizer_folder(const ModelSource& source, const FetchPolicy& fetch) {
  if (auto folder = local_tokenizer_folder(source)) return *folder;
  const std::string& name = source.config.text.hf_tokenizer_name;
  const std::string wanted = fmt::format(
      "{} names its own tokenizer '{}', whose tokenizer.json (or sentencepiece model, or "
      "vocab.txt) "
      "must lie in the model's folder{} or in the Hub's cache {}",
      source.config.name, name, source.folder.empty() ? "" : " " + source.folder, hub_cache_dir());
  if (fetch.allowed && is_repository(name)) {
    try {
      fetch_tokenizer(name, observer_of(fetch));
    } catch (const NetworkError& error) {
      throw NetworkError(wanted + "; " + error.what());
    } catch (const NotFound& error) {
      throw NotFound(wanted + "; " + error.what());
    }
    if (auto folder = local_tokenizer_folder(source)) return *folder;
  }
  throw NotFound(wanted);
}

}  // namespace openclip
