#include "optim/layer_groups.h"

#include <cmath>
#include <cstdlib>

#include "base/error.h"

namespace openclip::train {
namespace {

bool is_scale(const std::string& name) { return name == "logit_scale" || name == "logit_bias"; }

// CoCa's, which stands behind both towers.
bool is_decoder(const std::string& name) { return name.starts_with("text_decoder."); }

}  // namespace

LayerGroup layer_group(const ModelConfig& config, const std::string& name) {
  LayerGroup result;
  result.visual = name.starts_with("visual.");
  if (result.visual && config.vision.is_resnet)
    throw Unsupported("a ResNet image tower can only be locked as a whole, and has no layer decay");
  const int layers = result.visual ? config.vision.layers : config.text.layers;
  result.groups = layers + 2;
  constexpr std::string_view kBlocks = "resblocks.";
  const size_t block = name.find(kBlocks);
  if (block != std::string::npos)
    result.group = 1 + std::atoi(name.c_str() + block + kBlocks.size());
  else if (name.find("ln_post") != std::string::npos || name.find("ln_final") != std::string::npos)
    result.group = layers;
  else if (name == "visual.proj" || name.find("text_projection") != std::string::npos)
    result.group = layers + 1;
  return result;
}

void lock_towers(TensorStore& model, const ModelConfig& config, const LockOptions& options) {
  for (NamedParameter& entry : model.entries()) {
    const bool visual = entry.name.starts_with("visual.");
    if (!entry.trainable || is_scale(entry.name) || is_decoder(entry.name) || !(visual ? options.image : options.text))
      continue;
    const int unlocked = visual ? options.image_unlocked_groups : options.text_unlocked_layers;
    if (unlocked > 0) {
      const LayerGroup group = layer_group(config, entry.name);
      if (group.group >= group.groups - unlocked) continue;
    }
    entry.tensor.set_requires_grad(false);
    entry.trainable = false;
  }
}

double layer_decay_factor(const ModelConfig& config, const std::string& name, double image_decay,
                          double text_decay) {
  if (is_scale(name) || is_decoder(name) || name.starts_with("aux.")) return 1;
  const double decay = name.starts_with("visual.") ? image_decay : text_decay;
  if (decay == 1) return 1;
  const LayerGroup group = layer_group(config, name);
  return std::pow(decay, group.groups - 1 - group.group);
}

}  // namespace openclip::train
