// Tensors of libtorch to and from safetensors files.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/safetensors.h"

namespace openclip::train {

using TensorList = std::vector<std::pair<std::string, at::Tensor>>;

/// A copy of a file's tensor on the CPU, in the type it has there.
/// Throws: Unsupported for types that libtorch tensors of this program do not have.
at::Tensor tensor_from_view(const std::string& name, const TensorView& view);

class TensorStore;

/// What a checkpoint holds of a model: all tensors, adapters merged.
TensorList named_weights(const TensorStore& store);

/// Writes tensors of type f32, i64 or u8 from any device, atomically.
void write_tensors(const std::string& path, const TensorList& tensors,
                   const StringMap& metadata = {});

}  // namespace openclip::train
