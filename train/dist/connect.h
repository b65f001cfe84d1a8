// Communicators on libtorch's c10d.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "dist/communicator.h"
#include "dist/launch.h"

namespace c10d {
class Store;
}

namespace openclip::train {

/// Joins the other processes of the job; returns when all are there. A job of one process needs
/// nobody. backend: "auto" (nccl for CUDA devices, else gloo), "gloo" or "nccl".
/// Throws: Error if they cannot be reached, Unsupported for a backend that this build lacks.
std::unique_ptr<Communicator> connect(const Launch& launch, const std::string& backend,
                                      const at::Device& device);

/// Gloo over a store that all processes (or, in tests, threads) share.
std::unique_ptr<Communicator> connect_gloo(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                           int size, bool this_machine);

}  // namespace openclip::train
