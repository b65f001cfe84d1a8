// Where the tokenizer of a model lies. Rank 4.
#pragma once

#include <optional>
#include <string>

#include "models/factory.h"

namespace openclip {

/// The folder with the files of the tokenizer that the config names (text.hf_tokenizer_name): the
/// model's own if they lie there, else the cached snapshot of that repository. Nothing where
/// neither has them, and for models with CLIP's own vocabulary.
std::optional<std::string> local_tokenizer_folder(const ModelSource& source);

/// The same, fetched from the Hub where `fetch` allows it, into the cache that Python shares.
/// Throws: NotFound, saying what to do; errors of HubClient.
std::string find_tokenizer_folder(const ModelSource& source, const FetchPolicy& fetch);

}  // namespace openclip
