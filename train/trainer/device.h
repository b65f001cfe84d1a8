// Where the step is computed.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "data/loader.h"

namespace openclip::train {

/// "cpu", "cuda" or "cuda:N". libtorch_cuda is loaded here, so that the program starts without it.
/// Throws: InvalidArgument for other names, Unsupported where CUDA cannot be used.
at::Device open_device(const std::string& name);

/// Whether autocast to bf16 saves time: GPUs, and processors with AVX512-BF16 or AMX.
bool has_fast_bf16(const at::Device& device);

void to_device(Batch& batch, const at::Device& device);

}  // namespace openclip::train
