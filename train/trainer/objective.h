// From a batch to the loss that a step minimises.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "data/loader.h"
#include "loss/clip_loss.h"
#include "model/tensor_store.h"
#include "model/towers.h"
#include "models/config/model_config.h"

namespace openclip::train {

struct ObjectiveOptions {
  bool label_positives = false;
  double concept_table = 0;        // weight; 0 = off
  double concept_align = 0;        // weight; 0 = off
  double hog_distill = 0;          // weight; 0 = off
  bool bf16 = false;               // autocast
  bool image_locked = false;       // no gradient reaches the image tower
  bool freeze_batch_norm = false;  // it uses and keeps the statistics that it has
};

/// Values of one step, for logs.
struct StepLosses {
  double total = 0, contrastive = 0, concept_table = 0, concept_align = 0, hog = 0;
};

/// Computes the losses of a step's batches and adds their gradients. With one batch that is plain
/// back-propagation; with more (--accum-freq) the contrast spans them all: features are computed
/// first without a graph, then each batch again with one, as open_clip does.
class Objective {
 public:
  Objective(const ModelConfig& config, TensorStore& model, TensorStore& auxiliary,
            const ObjectiveOptions& options);

  StepLosses accumulate_gradients(const std::vector<Batch>& batches);

 private:
  struct Features {
    at::Tensor image, text;  // L2-normalised
    at::Tensor pooled;
    at::Tensor extra_text;  // L2-normalised, or undefined
  };

  Features encode(const Batch& batch);
  ImageOutput encode_pictures(const at::Tensor& pixels);
  ClipLossInput contrast(const at::Tensor& image, const at::Tensor& text, const at::Tensor& labels);
  at::Tensor with_auxiliary(at::Tensor loss, const Features& features, const Batch& batch,
                            double share, StepLosses& values);

  const ModelConfig& config_;
  TensorStore& model_;
  TensorStore& auxiliary_;
  ObjectiveOptions options_;
};

}  // namespace openclip::train
