#include "models/fetch.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "io/hub/url_file.h"
#include "io/hub_cache.h"
#include "models/config/config_name.h"
#include "models/weights_search.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

// Of tokenizers every form that open_clip's and transformers' know; few repositories have all.
constexpr std::array kSmallFiles = {kConfigName,
                                    kTransformersConfigName,
                                    "preprocessor_config.json",
                                    "processor_config.json",
                                    "tokenizer.json",
                                    "tokenizer_config.json",
                                    "special_tokens_map.json",
                                    "added_tokens.json",
                                    "vocab.json",
                                    "merges.txt",
                                    "vocab.txt",
                                    "spiece.model",
                                    "sentencepiece.bpe.model",
                                    "tokenizer.model"};

constexpr std::string_view kIndexEnd = ".index.json";

bool has(const std::vector<std::string>& files, std::string_view name) {
  return std::find(files.begin(), files.end(), name) != files.end();
}

// The vocabulary in one file, else in those that transformers' classes read.
std::vector<std::string> choose_tokenizer_files(const std::vector<std::string>& files) {
  std::vector<std::string> chosen;
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"})
    if (has(files, name)) chosen.emplace_back(name);
  const size_t described = chosen.size();
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt", "vocab.txt",
                           "spiece.model", "sentencepiece.bpe.model", "tokenizer.model"}) {
    if (has(files, name)) chosen.emplace_back(name);
    if (!chosen.empty() && chosen.back() == "tokenizer.json") break;
  }
  if (chosen.size() == described) chosen.clear();
  return chosen;
}

// "model.safetensors.index.json" goes with "model-00001-of-00002.safetensors" and so on.
std::vector<std::string> with_shards(const std::vector<std::string>& files,
                                     const std::string& index) {
  const fs::path whole = index.substr(0, index.size() - kIndexEnd.size());
  std::vector<std::string> out = {index};
  for (const std::string& file : files)
    if (file.starts_with(whole.stem().string() + "-") && file.ends_with(whole.extension().string()))
      out.push_back(file);
  return out;
}

FetchedFile fetch_one(HubClient& hub, const HubRepo& repo, const std::string& name) {
  auto file = hub.fetch(repo, name);
  if (!file)
    throw NotFound(fmt::format("hf-hub:{}: the Hub lists {} but has it not", repo.id, name));
  return {name, std::move(*file)};
}

FetchedModel fetch_tag_from_hub(const PretrainedTag& tag, const std::string& revision,
                                const HubSettings& settings, DownloadObserver& observer) {
  const HubRepo repo = {tag.hub_repo, revision.empty() ? "main" : revision};
  HubClient hub(settings, observer);
  const std::vector<std::string> names = tag_weights_files(tag);
  for (const std::string& name : names)
    if (auto file = hub.fetch(repo, name))
      return {.source = "hf-hub:" + repo.id, .weights = file->path, .files = {{name, *file}}};
  throw NotFound(fmt::format("hf-hub:{} has no {}", repo.id, fmt::join(names, " and no ")));
}

FetchedModel fetch_tag_from_url(const PretrainedTag& tag, const HubSettings& settings,
                                DownloadObserver& observer) {
  const HubFile file = fetch_url_file(tag.url, settings, observer);
  return {.source = tag.url,
          .weights = file.path,
          .files = {{fs::path(file.path).filename().string(), file}}};
}

bool has_all(const HubRepo& repo, bool weights) {
  for (const std::string& snapshot : hub_snapshots(repo.id, repo.revision))
    if (is_file(fs::path(snapshot) / kConfigName) ||
        is_file(fs::path(snapshot) / kTransformersConfigName))
      return !weights || find_weights_in_folder(snapshot).problem.empty();
  return false;
}

}  // namespace

ModelFiles choose_model_files(const std::vector<std::string>& files) {
  ModelFiles chosen;
  for (const char* name : kSmallFiles)
    if (has(files, name)) chosen.config_and_tokenizer.emplace_back(name);
  const std::optional<std::string> weights = choose_weights_name(files);
  if (!weights) return chosen;
  if (weights->ends_with(kIndexEnd))
    chosen.weights = with_shards(files, *weights);
  else
    chosen.weights = {*weights};
  return chosen;
}

FetchedModel fetch_hub_model(const HubRepo& repo, bool weights, DownloadObserver& observer) {
  HubClient hub(hub_settings(), observer);
  const HubListing listing = hub.list(repo);
  const ModelFiles files = choose_model_files(listing.files);
  if (!has(files.config_and_tokenizer, kConfigName) &&
      !has(files.config_and_tokenizer, kTransformersConfigName))
    throw NotFound(
        fmt::format("hf-hub:{} has neither {} nor {}, so it is no model that can be loaded",
                    repo.id, kConfigName, kTransformersConfigName));
  if (weights && files.weights.empty())
    throw NotFound(fmt::format("hf-hub:{} has no weights", repo.id));
  // All from one commit, also if the branch moves meanwhile.
  const HubRepo pinned = {repo.id, listing.commit};
  FetchedModel model{.source = "hf-hub:" + repo.id};
  for (const std::string& name : files.config_and_tokenizer)
    model.files.push_back(fetch_one(hub, pinned, name));
  if (weights) {
    for (const std::string& name : files.weights)
      model.files.push_back(fetch_one(hub, pinned, name));
    model.weights = model.files[files.config_and_tokenizer.size()].file.path;
  }
  hub.remember_revision(repo, listing.commit);
  return model;
}

void fetch_tokenizer(const std::string& name, DownloadObserver& observer) {
  HubClient hub(hub_settings(), observer);
  const HubRepo repo = {.id = name};
  const HubListing listing = hub.list(repo);
  const std::vector<std::string> files = choose_tokenizer_files(listing.files);
  if (files.empty()) throw NotFound(fmt::format("hf-hub:{} has no tokenizer", name));
  for (const std::string& file : files) fetch_one(hub, {name, listing.commit}, file);
  hub.remember_revision(repo, listing.commit);
}

DownloadObserver& observer_of(const FetchPolicy& fetch) {
  static DownloadObserver silent;
  return fetch.observer != nullptr ? *fetch.observer : silent;
}

FetchedModel fetch_tag(const PretrainedTag& tag, const std::string& revision,
                       DownloadObserver& observer) {
  const HubSettings settings = hub_settings();
  if (tag.hub_repo.empty()) return fetch_tag_from_url(tag, settings, observer);
  try {
    return fetch_tag_from_hub(tag, revision, settings, observer);
  } catch (const Cancelled&) {
    throw;
  } catch (const IoError&) {
    throw;
  } catch (const Error& error) {
    if (tag.url.empty() || !revision.empty() || settings.offline) throw;
    observer.note(fmt::format("{}; trying {}", error.what(), tag.url));
    try {
      return fetch_tag_from_url(tag, settings, observer);
    } catch (const NetworkError& second) {
      throw NetworkError(fmt::format("{}; and {}", error.what(), second.what()));
    }
  }
}

void ensure_hub_model(const HubRepo& repo, bool weights, DownloadObserver& observer) {
  if (!has_all(repo, weights)) fetch_hub_model(repo, weights, observer);
}

}  // namespace openclip
