// NCCL, in a library of its own that is loaded when it is needed, since it links CUDA.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "dist/communicator.h"

namespace openclip::train {

/// Throws: Unsupported where libopenclip_train_nccl.so is not beside the program.
std::unique_ptr<Communicator> connect_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                           int size, const at::Device& device);

}  // namespace openclip::train
