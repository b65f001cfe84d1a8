// Hugging Face's description of a CLIPModel, to and from ours. Part of rank 4, free of tensors.
#pragma once

#include <string>

#include "models/config/model_config.h"

namespace openclip {

/// The files of a transformers folder that describe a model, as texts.
struct TransformersConfig {
  std::string config;        // config.json
  std::string preprocessor;  // preprocessor_config.json, or processor_config.json; may be empty
};

/// Reads the files of a CLIPModel, or of a CLIPTextModel or CLIPTextModelWithProjection (Stable
/// Diffusion's text encoders); absent values are transformers' defaults. The pooled token follows
/// CLIPTextModel: the largest id where eos_token_id is 2 (configs of before 2023), else the first
/// eos_token_id. Where the model has a tokenizer of its own, `tokenizer` names it.
/// `source` names the folder in errors. Throws: ParseError; Unsupported for other model types and
/// for options that this engine does not have.
ModelConfig parse_transformers_config(const TransformersConfig& files, const std::string& source,
                                      const std::string& name, const std::string& tokenizer);

/// The inverse. Throws: Unsupported naming the option that a CLIPModel cannot have.
TransformersConfig transformers_config(const ModelConfig& config);

}  // namespace openclip
