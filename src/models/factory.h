// From what a user writes after --model and --pretrained to a model. Rank 4.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "models/config/model_config.h"
#include "models/fetch.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace openclip {

/// model: NAME | DIR | CONFIG.json | hf-hub:ORG/REPO[@REVISION] | local-dir:DIR, empty = the
/// default model. A folder or repository holds open_clip_config.json, or the config.json of
/// transformers' CLIPModel. pretrained: TAG | FILE | DIR, may be empty. Both as in open_clip.
struct ModelRequest {
  std::string model;
  std::string pretrained;
  FetchPolicy fetch{};
  std::optional<int> image_size{};      // pixels, as open_clip's force_image_size
  std::optional<int> context_length{};  // tokens, as open_clip's force_context_length
};

/// What a request names; no weight has been read. Missing weights are no error until they are
/// loaded, as tokenising, preprocessing and describing a model do without.
struct ModelSource {
  ModelConfig config;
  std::string folder{};           // of the model's own files (tokenizer, labels); empty = built in
  std::string weights{};          // path; empty = none
  std::string missing_weights{};  // why, and what to do
  std::vector<std::string> notes{};      // what was decided for the user, for stderr
  std::optional<Precision> precision{};  // the user's wish; absent: as in LoadOptions
};

/// Throws: NotFound for unknown names, tags and absent files (nearest names suggested);
/// InvalidArgument for impossible combinations; ParseError and Unsupported of the config; where
/// request.fetch allows to download, also the errors of fetch_hub_model and fetch_tag.
ModelSource find_model(const ModelRequest& request);

/// Reads and packs the weights, in the precision of the options, else of the source. Throws:
/// NotFound with source.missing_weights; errors of Model::load.
std::shared_ptr<const Model> load_model(const Context& context, const ModelSource& source,
                                        const LoadOptions& options = {});

/// The tokenizer of the model: where the config names one, that of the model's folder or of the
/// Hub's repository (fetched if `fetch` allows it), else CLIP's byte pairs. Throws: NotFound,
/// ParseError, Unsupported, errors of HubClient.
std::unique_ptr<const Tokenizer> load_tokenizer(const ModelSource& source,
                                                const FetchPolicy& fetch = {});

}  // namespace openclip
