// How deep in its tower a tensor lies: for locking, and for learning rates that fall with depth.
#pragma once

#include <string>

#include "model/tensor_store.h"
#include "models/config/model_config.h"

namespace openclip::train {

/// Groups of a transformer tower of `layers` blocks, counted from the input: 0 embeddings (and
/// ln_pre), 1 … layers the blocks, of which the last has the final LayerNorm with it, layers + 1
/// the projection. Source: open_clip transformer.py VisionTransformer.lock, lock_text_tower.
struct LayerGroup {
  bool visual = false;
  int group = 0;
  int groups = 0;  // of its tower
};

/// Throws: Unsupported for ResNets' image towers, which have no such groups.
LayerGroup layer_group(const ModelConfig& config, const std::string& name);

struct LockOptions {
  bool image = false, text = false;
  int image_unlocked_groups = 0, text_unlocked_layers = 0;  // from the end
};

/// Makes the weights of locked towers constant. logit_scale and logit_bias stay trainable.
void lock_towers(TensorStore& model, const ModelConfig& config, const LockOptions& options);

/// The factor on a tensor's learning rate: decay^(groups - 1 - group) in its tower; 1 for
/// logit_scale, logit_bias and tensors that are no part of the model.
double layer_decay_factor(const ModelConfig& config, const std::string& name, double image_decay,
                          double text_decay);

}  // namespace openclip::train
