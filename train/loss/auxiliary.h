// Losses of our own with weights that are thrown away after training (open_clip has none of these).
// They help small models: a contrastive loss alone needs far more pairs to learn the same.
#pragma once

#include <ATen/ATen.h>

#include "model/tensor_store.h"

namespace openclip::train {

/// A learned embedding for each concept: pictures and captions of the same concept meet there even
/// when they are never in one batch.
class ConceptTable {
 public:
  /// Adds aux.concept_table [concepts, embed_dim] and aux.concept_scale to `store`.
  static void add_tensors(TensorStore& store, int64_t concepts, int64_t embed_dim, uint64_t seed);

  /// Mean of both sides' cross entropy over all concepts; features [batch, embed_dim],
  /// L2-normalised; labels i64 [batch], -1 = no concept (left out).
  static at::Tensor loss(const TensorStore& store, const at::Tensor& image, const at::Tensor& text,
                         const at::Tensor& labels);

  /// Mean over the labelled captions of 1 - cos(caption, its concept's row). The rows get no
  /// gradient: the table, which every picture is compared with as a whole, is what a classifier
  /// made of captions should come to. Without this term captions merely fall nearest to the right
  /// row, at a wide angle, and name pictures much worse than the rows do (docs/default_model.md).
  static at::Tensor alignment(const TensorStore& store, const at::Tensor& text,
                              const at::Tensor& labels);
};

/// Predicts a shape descriptor (histogram of oriented gradients) of the clean picture from the
/// features of its restyled version, so that the tower learns to see shape through drawing style.
class HogHead {
 public:
  /// Adds aux.hog.weight [descriptor, width] and aux.hog.bias to `store`.
  static void add_tensors(TensorStore& store, int64_t width, int64_t descriptor, uint64_t seed);

  /// Mean over the batch of the squared distance to `hog` [batch, descriptor] (L2-normalised).
  static at::Tensor loss(const TensorStore& store, const at::Tensor& pooled, const at::Tensor& hog);
};

}  // namespace openclip::train
