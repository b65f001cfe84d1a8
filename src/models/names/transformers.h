// Hugging Face's CLIPModel and SiglipModel are open_clip's models under other names. Part of
// rank 4.
#pragma once

#include "io/lazy_tensor.h"

namespace openclip {

/// Whether the names are those of transformers' CLIPModel, SiglipModel or one of their towers.
bool has_transformers_names(const LazyTensors& tensors);

/// transformers' names to open_clip's: q, k and v projections become the rows of one in_proj, and
/// the two output projections of CLIPModel are transposed. What is not of that model keeps its
/// name. Reads no data.
LazyTensors from_transformers(LazyTensors tensors);

/// The inverse, for a model of class CLIP with ViT tower; a bit-exact round trip.
/// Throws: Unsupported for tensors that CLIPModel does not have.
LazyTensors to_transformers(LazyTensors tensors);

}  // namespace openclip
