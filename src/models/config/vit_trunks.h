// timm's vision transformers by name. Part of rank 4, free of tensors.
#pragma once

#include <string>

#include "models/config/model_config.h"

namespace openclip {

/// Fills in what the name of a timm image tower stands for: sizes, activation, LayerNorm's epsilon,
/// class token, attention pooling (vit_trunks.json, written by tools/gen_trunks.py).
/// Returns false for a name that this engine does not know.
bool apply_vit_trunk(const std::string& name, VisionConfig& vision);

/// The name of the trunk with attention pooling that has the sizes, activation and epsilon of
/// `vision`, at best with its image_size too; empty if there is none.
std::string find_map_trunk(const VisionConfig& vision);

}  // namespace openclip
