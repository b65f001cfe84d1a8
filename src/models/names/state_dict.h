// From the names of whatever wrote a checkpoint to those of the table of tensors. Part of rank 4.
#pragma once

#include "io/lazy_tensor.h"
#include "models/config/model_config.h"

namespace openclip {

/// `tensors` under open_clip's names for `config`, as open_clip's load_checkpoint puts them right:
/// without the prefixes of wrappers (`module.`, `_orig_mod.`); names of Hugging Face's CLIPModel
/// translated; the text tower at the root or under `text.`, as the config's class has it; a missing
/// logit_bias 0 where the model has one; without buffers that hold no weights (attn_mask,
/// position_ids, OpenAI's input_resolution, context_length and vocab_size).
/// Names that are not understood stay, for the loader's list of unexpected ones. Reads no data.
LazyTensors open_clip_names(LazyTensors tensors, const ModelConfig& config);

}  // namespace openclip
