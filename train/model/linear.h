// Dense layers by name, with the low-rank adapters that may be on them.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "model/tensor_store.h"

namespace openclip::train {

/// x . W^T + bias of the tensors WEIGHT and BIAS; with an adapter (WEIGHT.lora_a [rank, in] and
/// WEIGHT.lora_b [out, rank]) + lora_scale * x . A^T . B^T.
at::Tensor linear(const TensorStore& store, const std::string& weight, const std::string& bias,
                  const at::Tensor& x);

/// Outputs [first, first + count) of `linear`.
at::Tensor linear_part(const TensorStore& store, const std::string& weight, const std::string& bias,
                       const at::Tensor& x, int64_t first, int64_t count);

/// Puts adapters of `rank` on all attention and MLP layers of the towers that are trainable, and
/// makes their other weights constant. A is random, B zero: nothing changes at first.
/// Source: Hu et al. 2021, https://arxiv.org/abs/2106.09685. Throws: InvalidArgument if no layer
/// takes one (ResNets' convolutions do not).
void add_lora(TensorStore& store, int64_t rank, double alpha, uint64_t seed);

/// The tensor `entry` with its adapter added, if it has one.
at::Tensor merged(const TensorStore& store, const NamedParameter& entry);

}  // namespace openclip::train
