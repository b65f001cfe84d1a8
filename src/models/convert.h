// A model as a folder that other programs read. Rank 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "models/factory.h"

namespace openclip {

enum class ModelLayout {
  open_clip,    // open_clip_model.safetensors, open_clip_config.json: Python's `local-dir:`
  transformers  // model.safetensors, config.json, preprocessor_config.json: CLIPModel
};

struct ConvertOptions {
  std::string out;  // folder
  ModelLayout layout = ModelLayout::open_clip;
  std::optional<DType> precision;  // f32, f16 or bf16; absent = each tensor as it is stored
  bool quantise = false;           // the blocks' matrices to int8 (models/quantise.h)
  bool replace = false;            // a model that is there already
};

struct ConvertedModel {
  size_t tensors = 0;
  std::vector<std::string> files;  // names in the folder, sorted
  std::vector<std::string> notes;  // what the user should know
};

/// Writes the model of `source` with its config, preprocessing and tokenizer. Tensors are only
/// renamed and laid out anew, so going to transformers and back gives the same bytes; logit_scale
/// and logit_bias keep their type. The folder appears when it is complete; on any error nothing is
/// left. Throws: NotFound without weights; InvalidArgument if `out` is a file, a model and not
/// `replace`, or a folder with other files; Unsupported for models that the layout cannot express;
/// IoError; errors of reading and of Weights.
ConvertedModel convert_model(const ModelSource& source, const ConvertOptions& options);

}  // namespace openclip
