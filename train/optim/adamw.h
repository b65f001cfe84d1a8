// AdamW with open_clip's two parameter groups.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "model/tensor_store.h"
#include "model/weights_file.h"

namespace openclip::train {

struct AdamWOptions {
  double lr = 5e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.2;
};

/// Sets the betas and eps that open_clip 3.3.0 takes where the user names none: models with "vit"
/// in their name 0.9, 0.98, 1e-6; others 0.9, 0.999, 1e-8.
void set_defaults_by_model(AdamWOptions& options, const std::string& model_name);

/// Whether open_clip 3.3.0 leaves a parameter out of weight decay: vectors and scalars, and names
/// that hold "bn", "ln", "bias" or "logit_scale".
bool is_decay_free(const std::string& name, int64_t dimensions);

/// The optimiser over the trainable tensors of one or more stores, which must outlive it.
class AdamW {
 public:
  AdamW(const std::vector<TensorStore*>& stores, const AdamWOptions& options);

  /// One update with learning rate `lr` from the gradients. Tensors without a gradient are left
  /// alone, as in PyTorch.
  void step(double lr);

  void zero_grad();

  /// Scales all gradients so that their common L2 norm is at most `max_norm`; returns the norm
  /// before. Source: torch.nn.utils.clip_grad_norm_.
  double clip_grad_norm(double max_norm);

  /// Moments and step counts, named after their tensors.
  TensorList state() const;

  /// Throws: ParseError if `file` lacks one of them.
  void load_state(const SafetensorsFile& file, const std::string& source);

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter, mean, square, steps;
    double weight_decay;
  };
  std::vector<Slot> slots_;
  AdamWOptions options_;
};

}  // namespace openclip::train
