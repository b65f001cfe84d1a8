// A model's matrices as bytes. Part of rank 4.
#pragma once

#include "io/lazy_tensor.h"

namespace openclip {

/// The tensors with each large matrix of the repeated blocks as i8 NAME and f32 NAME_scale, one
/// scale for each row (output): w = q * scale, scale = max |w| / 127. Other tensors stay as they
/// are. Nothing is computed before it is loaded.
LazyTensors quantised(const LazyTensors& tensors);

}  // namespace openclip
