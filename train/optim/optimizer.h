// AdamW and its relatives with open_clip's parameter groups; the state may be spread over the
// processes of a job.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

#include "dist/communicator.h"
#include "model/tensor_store.h"
#include "model/weights_file.h"

namespace openclip::train {

/// adamw: torch.optim.AdamW. nadamw: timm's NAdamW. lion: Chen et al. 2023,
/// https://arxiv.org/abs/2302.06675, as timm's Lion.
enum class OptimizerKind { adamw, nadamw, lion };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double lr = 5e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.2;
  /// A tensor's factor on the learning rate; null = 1 for all.
  std::function<double(const std::string& name)> lr_factor = nullptr;
  /// Each process keeps and updates its share of the tensors and sends them to the others (ZeRO-1).
  bool sharded = false;
};

/// Sets the betas and eps that open_clip 3.3.0 takes where the user names none: models with "vit"
/// in their name 0.9, 0.98, 1e-6; others 0.9, 0.999, 1e-8.
void set_defaults_by_model(OptimizerOptions& options, const std::string& model_name);

/// Whether open_clip 3.3.0 leaves a parameter out of weight decay: vectors and scalars, and names
/// that hold "bn", "ln", "bias" or "logit_scale".
bool is_decay_free(const std::string& name, int64_t dimensions);

/// The optimiser over the trainable tensors of one or more stores, which must outlive it.
class Optimizer {
 public:
  Optimizer(const std::vector<TensorStore*>& stores, const OptimizerOptions& options,
            Communicator& processes);

  /// One update with learning rate `lr` from the gradients. Tensors without a gradient are left
  /// alone, as in PyTorch. All processes must hold the same gradients.
  void step(double lr);

  void zero_grad();

  /// Scales all gradients so that their common L2 norm is at most `max_norm`; returns the norm
  /// before. Source: torch.nn.utils.clip_grad_norm_.
  double clip_grad_norm(double max_norm);

  /// Multiplies all gradients; returns whether they are all finite.
  bool scale_gradients(double factor);

  /// Copies of the moments and step counts on the CPU, named after their tensors. All processes
  /// must call it; only the first gets the tensors.
  TensorList state() const;

  /// Throws: ParseError if `file` lacks one of them.
  void load_state(const SafetensorsFile& file, const std::string& source);

  /// Bytes of the state that this process holds.
  int64_t state_bytes() const;

 private:
  struct Slot {
    std::string name;
    at::Tensor parameter;
    at::Tensor mean, square, steps;  // undefined where another process has them; lion: no square
    double weight_decay = 0, lr_factor = 1;
    int owner = 0;
  };

  std::vector<std::pair<const char*, at::Tensor Slot::*>> parts() const;
  bool is_mine(const Slot& slot) const { return !options_.sharded || slot.owner == me_; }
  void share_out();
  void create_state(Slot& slot) const;
  void send_updates();

  std::vector<Slot> slots_;
  OptimizerOptions options_;
  Communicator& processes_;
  const int me_;
};

}  // namespace openclip::train
