// From the batches of a step to gradients.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "data/loader.h"
#include "dist/communicator.h"
#include "dist/gradient_reducer.h"
#include "loss/loss_gradient.h"
#include "model/tensor_store.h"
#include "model/towers.h"
#include "models/config/model_config.h"

namespace openclip::train {

/// A finished model whose similarities are imitated.
struct Teacher {
  ModelConfig config;
  TensorStore model;
};

struct ObjectiveOptions {
  bool contrast = true;  // pictures with captions
  bool sigmoid = false;  // SigLIP's loss instead of CLIP's
  bool label_positives = false;
  double views = 0;  // weight of NT-Xent between two views of a picture; 0 = off
  double views_temperature = 0.1;
  const Teacher* teacher = nullptr;
  double contrastive_weight = 1, caption_weight = 2;  // of a CoCa's two losses
  double concept_table = 0;                           // weight; 0 = off
  double concept_align = 0;                           // weight; 0 = off
  double hog_distill = 0;                             // weight; 0 = off
  at::ScalarType arithmetic = at::kFloat;             // of autocast; kFloat = none
  double loss_scale = 1;                              // all gradients are multiplied with it (f16)
  bool image_locked = false;                          // no gradient reaches the image tower
  bool freeze_batch_norm = false;  // it uses and keeps the statistics that it has
  double patch_dropout = 0;        // share of the patches that are left out
  bool checkpointing = false;
  uint64_t seed = 0;  // of patch dropout
};

/// Values of one step, for logs.
struct StepLosses {
  double total = 0, contrastive = 0, caption = 0, distillation = 0, views = 0;
  double concept_table = 0, concept_align = 0, hog = 0;
};

/// Computes the losses over a step's batches, those of all processes together, and adds their
/// gradients. However the pairs are spread over batches (--accum-freq) and processes, losses and
/// gradients are those of one large batch: features are computed first (without a graph where there
/// are several batches), the losses' gradients with respect to them are computed from all, and then
/// go back through the towers, batch by batch.
/// BatchNorm alone sees each batch by itself.
class Objective {
 public:
  Objective(const ModelConfig& config, TensorStore& model, TensorStore& auxiliary,
            const ObjectiveOptions& options, Communicator& processes);

  /// With `reducer` the gradients end up summed over the processes.
  StepLosses accumulate_gradients(const std::vector<Batch>& batches,
                                  GradientReducer* reducer = nullptr);

  void set_loss_scale(double scale) { options_.loss_scale = scale; }

 private:
  struct Features {
    at::Tensor image, text;  // L2-normalised
    at::Tensor extra_text;   // L2-normalised, or undefined
    at::Tensor pooled;
    at::Tensor caption;        // CoCa: the caption loss, a sum over tokens; in the last pass
    at::Tensor first, second;  // L2-normalised projections of the two views, or undefined
  };
  struct StepGradient {
    LossGradient contrast, views;
  };

  Features encode(const Batch& batch, bool last_pass);
  void encode_pairs(const Batch& batch, BatchNormMode mode, Features& features);
  int64_t count_caption_tokens(const std::vector<Batch>& batches);
  void encode_views(const Batch& batch, BatchNormMode mode, Features& features);
  ImageOutput encode_pictures(const at::Tensor& pixels, const at::Tensor& rows, BatchNormMode mode,
                              uint64_t purpose);
  at::Tensor kept_patches(const at::Tensor& rows, uint64_t purpose) const;
  StepGradient loss_gradients(const std::vector<Features>& features,
                              const std::vector<Batch>& batches, StepLosses& values);
  LossGradient contrast(const std::vector<Features>& features, const std::vector<Batch>& batches);
  at::Tensor surrogate(const Features& features, const StepGradient& gradient,
                       const std::vector<Features>& all, size_t index) const;
  at::Tensor auxiliary_losses(const Features& features, const Batch& batch, double share,
                              StepLosses& values);
  void sum_over_processes(StepLosses& values);

  const ModelConfig& config_;
  TensorStore& model_;
  TensorStore& auxiliary_;
  ObjectiveOptions options_;
  Communicator& processes_;
};

}  // namespace openclip::train
