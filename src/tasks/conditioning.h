// What Stable Diffusion is conditioned on: the token states of CLIP's text encoders. Rank 5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "models/factory.h"

namespace openclip {

enum class DiffusionPipeline { sd1, sd2, sdxl };

/// "sd1", "sd2", "sdxl". Throws: InvalidArgument for other names.
DiffusionPipeline diffusion_pipeline(std::string_view name);

/// One text encoder of a pipeline, and what the pipeline takes from it.
struct ConditioningEncoder {
  ModelSource source;
  TokenStates states{};
  TokenStates negative_states{};  // of the negative prompt: clip_skip does not count there
  bool pads_with_end = true;      // else with id 0, "!"; says nothing where own_padding
  bool own_padding = false;       // the tokenizer's own padding token
  bool wants_pooled = false;      // also the feature of the text, not normalised
};

/// The encoders of a pipeline and how it reads them. Source: diffusers'
/// StableDiffusionPipeline.encode_prompt and StableDiffusionXLPipeline.encode_prompt.
///   sd1:  ViT-L/14, all blocks, final norm; padded with the end token
///   sd2:  ViT-H/14, all blocks but one, final norm; padded with id 0
///   sdxl: ViT-L/14 and ViT-bigG/14 side by side, all blocks but one, no final norm; the first
///         padded with the end token, the second with id 0; pooled: the second's text feature
struct ConditioningPlan {
  DiffusionPipeline pipeline = DiffusionPipeline::sd1;
  std::vector<ConditioningEncoder> encoders{};
  bool zero_negative = false;  // no negative prompt means zeros, not the states of ""
};

/// Plans with the text encoders of a diffusers model directory. clip_skip: blocks left out beyond
/// those that the pipeline leaves out by itself. Throws: errors of find_diffusers_model; NotFound
/// if an encoder that the pipeline needs is missing; InvalidArgument for negative clip_skip.
ConditioningPlan plan_conditioning(DiffusionPipeline pipeline, const std::string& diffusers_folder,
                                   int clip_skip = 0);

/// Plans with whole CLIP models or text encoders of transformers, as many as the pipeline has: one,
/// for sdxl two. A text encoder without an image tower is taken to be sd2's own, whose last block
/// was left out already; of a whole CLIP model all blocks but one are computed.
/// Throws: InvalidArgument for another number of sources.
ConditioningPlan plan_conditioning(DiffusionPipeline pipeline, std::vector<ModelSource> sources,
                                   int clip_skip = 0);

/// The names under which a pipeline's encoders are found without being told: model and tag.
struct NamedEncoder {
  const char *model, *tag;
};
std::vector<NamedEncoder> default_encoders(DiffusionPipeline pipeline);

/// Width of the states that the pipeline's U-Net takes.
int64_t expected_width(DiffusionPipeline pipeline);

/// Of one prompt.
struct Conditioning {
  int64_t tokens = 0, width = 0;
  std::vector<float> states;  // [tokens, width]: the encoders' states side by side
  std::vector<float> pooled;  // empty where the pipeline has none
  std::string left_out;       // what of the prompt did not fit, as text; empty = all did
};

/// All prompts, and the negative prompt as the last where there is one, through all encoders; one
/// encoder is in memory at a time.
/// Throws: errors of load_model and load_tokenizer; InvalidArgument where the encoders do not fit
/// together or clip_skip leaves no block.
std::vector<Conditioning> encode_prompts(const Context& context, const ConditioningPlan& plan,
                                         const std::vector<std::string>& prompts,
                                         const std::optional<std::string>& negative);

/// Zeros in the shape of `like`.
Conditioning zero_conditioning(const Conditioning& like);

}  // namespace openclip
