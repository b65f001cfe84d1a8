// What a model can do, measured between epochs.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "data/text_encoder.h"
#include "model/tensor_store.h"
#include "models/config/model_config.h"
#include "trainer/options.h"

namespace openclip::train {

struct EvaluatedModel {
  const ModelConfig& config;
  const TensorStore& weights;
  at::Device device;
  const TextEncoder& encode;
};

using Results = std::vector<std::pair<std::string, double>>;

/// Ranks of the right answers: row i of queries should find row i of keys. Mean and median rank
/// (from 1) and recall at 1, 5 and 10, as NAME_mean_rank, NAME_R@1 …; of equal scores the earlier
/// key ranks first. Source: open_clip_train/train.py get_clip_metrics.
Results retrieval_metrics(const std::string& name, const at::Tensor& queries,
                          const at::Tensor& keys);

/// Retrieval both ways over all pairs, and clip_val_loss: the mean over batches of --batch-size.
Results evaluate_pairs(const EvaluatedModel& model, Dataset& dataset, const Options& options);

/// Zero-shot top-1 and top-5 on --imagenet-val: each class is the mean of its templates' vectors.
/// Source: open_clip zero_shot_classifier.py. Throws: NotFound, InvalidArgument.
Results evaluate_zero_shot(const EvaluatedModel& model, const Options& options);

}  // namespace openclip::train
