// The one table of tensor names, shapes and initial values of a model. The engine's loader, the
// trainer's towers, the exporter and the tests all read it, so a model is described once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/config/model_config.h"

namespace openclip {

/// How a tensor starts a training from scratch (open_clip's initialisation).
struct Init {
  enum class Kind {
    constant,  // value = a
    normal,    // mean 0, standard deviation a
    uniform,   // from -a to a
    sin_cos    // sin_cos_positions of the shape
  };
  Kind kind = Kind::constant;
  double a = 0;
};

/// One entry of a state_dict under open_clip's key name.
struct TensorSpec {
  std::string name;
  std::vector<int64_t> shape;  // empty = scalar
  Init init;
  bool trainable = true;  // false: a buffer (BatchNorm statistics)
  bool optional = false;  // may be missing in old checkpoints (num_batches_tracked)
  bool is_int64 = false;  // num_batches_tracked
  /// Positions, which a checkpoint may have for another size: rows of a square grid of patches that
  /// follow `prefix_rows` others, or of a sequence of tokens. They are resized when it is loaded.
  enum class Resize { none, grid, sequence };
  Resize resize = Resize::none;
  int prefix_rows = 0;
};

/// The image tower's tensors, keys `visual.…`, in open_clip's order.
std::vector<TensorSpec> vision_tensors(const ModelConfig& config);

/// The text tower's tensors, keys at the root (class CLIP) or under `text.` (class CustomTextCLIP).
std::vector<TensorSpec> text_tensors(const ModelConfig& config);

/// The caption decoder's tensors, keys `text_decoder.…` (class CoCa).
std::vector<TensorSpec> decoder_tensors(const DecoderConfig& decoder);

/// The heads that predict boxes, under transformers' names; none of a plain CLIP.
std::vector<TensorSpec> box_head_tensors(const ModelConfig& config);

/// Everything, of a text encoder just its tensors: logit_scale, logit_bias where the model has one,
/// text, vision, box heads, caption decoder.
std::vector<TensorSpec> model_tensors(const ModelConfig& config);

}  // namespace openclip
