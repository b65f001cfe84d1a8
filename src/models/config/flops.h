// How much arithmetic a tower is, for benchmarks. Part of rank 4, free of tensors.
#pragma once

#include <cstdint>

#include "models/config/model_config.h"

namespace openclip {

/// Floating-point operations (a multiply-add is two) of the image tower for one picture: matrix
/// products and convolutions of all tokens in all blocks, as profilers of open_clip count them.
double image_flops(const ModelConfig& config);

/// The same for one text of `tokens` real tokens; causal attention counts half of the square.
double text_flops(const ModelConfig& config, int64_t tokens);

/// Numbers in a checkpoint that training changes.
int64_t parameter_count(const ModelConfig& config);

}  // namespace openclip
