// The models that are known by name: open_clip's configs and pretrained tags for the towers that
// this engine has, built into the program as JSON (tools/gen_registry.py). Part of rank 4, but free
// of tensors, so that the trainer can use it too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/config/model_config.h"

namespace openclip {

/// A published checkpoint of a model.
struct PretrainedTag {
  std::string tag;
  std::string hub_repo;     // "org/name" on the Hugging Face Hub
  std::string hub_file;     // empty = open_clip_model.safetensors
  std::string url;          // original place, where there was one
  bool quick_gelu = false;  // was trained with QuickGELU, whatever the model's config says
  PreprocessSettings preprocess;
};

/// All names, sorted.
const std::vector<std::string>& registry_names();

/// "ViT-B/32" is the same model as "ViT-B-32", as in open_clip. Does not check that it exists.
std::string canonical_model_name(std::string_view name);

bool registry_has(std::string_view name);

/// The config of a known model, with the default preprocessing.
/// Throws: NotFound suggesting the nearest names.
ModelConfig registry_config(std::string_view name);

/// The published checkpoints of a known model, in open_clip's order; may be empty.
/// Throws: NotFound suggesting the nearest names.
std::vector<PretrainedTag> registry_tags(std::string_view name);

/// One tag; upper case and '-' are accepted for lower case and '_', as in open_clip.
/// Throws: NotFound naming the tags that there are, nearest first.
PretrainedTag registry_tag(std::string_view name, std::string_view tag);

/// `config` as the checkpoint of `tag` needs it: its preprocessing, and QuickGELU where it was
/// trained so (open_clip only warns there and computes other features).
void apply_tag(ModelConfig& config, const PretrainedTag& tag);

/// The text that names the unknown model and the nearest known ones; for callers that look in more
/// places than the registry.
std::string unknown_model_text(std::string_view name);

}  // namespace openclip
