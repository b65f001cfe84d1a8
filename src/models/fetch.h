// Downloading what a model consists of. Rank 4.
#pragma once

#include <string>
#include <vector>

#include "io/hub/client.h"
#include "models/registry.h"

namespace openclip {

/// Whether find_model may download what is not on this machine. Never, unless asked to.
struct FetchPolicy {
  bool allowed = false;
  bool weights = true;                   // false: the config and the tokenizer are enough
  DownloadObserver* observer = nullptr;  // null = silent
};

struct FetchedFile {
  std::string name;
  HubFile file;
};

struct FetchedModel {
  std::string source;                // "hf-hub:org/name", or the address of a plain file
  std::string weights{};             // path; empty if none were asked for
  std::vector<FetchedFile> files{};  // all, those that were there included
};

/// The files of a repository that make a model: config, tokenizer and, if asked for, weights; of
/// weights the first of find_weights_in_folder's order, sharded ones with all their shards.
/// Empty weights if there are none. Public for tests.
struct ModelFiles {
  std::vector<std::string> config_and_tokenizer;
  std::vector<std::string> weights;
};
ModelFiles choose_model_files(const std::vector<std::string>& files);

/// Brings a repository with an open_clip_config.json up to date in the cache.
/// Throws: NotFound (no such repository, not a model of open_clip, no weights), errors of
/// HubClient.
FetchedModel fetch_hub_model(const HubRepo& repo, bool weights, DownloadObserver& observer);

/// Brings the weights of a tag up to date: from the Hub as open_clip does (safetensors first), else
/// from the tag's original address. `revision` empty = main.
/// Throws: NotFound, errors of HubClient and fetch_url_file.
FetchedModel fetch_tag(const PretrainedTag& tag, const std::string& revision,
                       DownloadObserver& observer);

/// Brings the tokenizer of a repository up to date in the cache: tokenizer.json, or else the files
/// that it is made of. Throws: NotFound (no such repository, no tokenizer), errors of HubClient.
void fetch_tokenizer(const std::string& repo, DownloadObserver& observer);

/// fetch.observer, or one that is silent.
DownloadObserver& observer_of(const FetchPolicy& fetch);

/// As fetch_hub_model, but without a word to the Hub where the cache has all that is needed.
void ensure_hub_model(const HubRepo& repo, bool weights, DownloadObserver& observer);

}  // namespace openclip
