// The parts of a tokenizer.json, each from its JSON. Rank 3.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "text/hf_definition.h"
#include "text/tokenizer_json.h"

namespace openclip {

// All throw: ParseError, Unsupported.

/// Fills tokens, model, spelling and suffix.
void read_hf_model(const std::string& source, const TokenizerJson& json, HfDefinition* definition);

void read_hf_normalizer(const std::string& source, const nlohmann::json& normalizer,
                        HfNormalizer* out);

/// After read_hf_model: byte-level models need words that are bytes, and others words that are not.
void read_hf_pre_tokenizer(const std::string& source, const nlohmann::json& pre_tokenizer,
                           HfDefinition* definition);

/// The start and the end token.
void read_hf_post_processor(const std::string& source, const nlohmann::json& processor,
                            HfDefinition* definition);

}  // namespace openclip
