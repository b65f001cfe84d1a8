// From a model's config to the settings of src/image. Rank 4.
#pragma once

#include "image/preprocess.h"
#include "models/config/model_config.h"

namespace openclip {

/// How pictures are prepared for the image tower of `config`.
PreprocessConfig preprocess_config(const ModelConfig& config);

}  // namespace openclip
