// What the tests share with tools/goldens/train.py: numbers made by a hash, and the golden files.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/loader.h"
#include "io/json.h"
#include "model/tensor_store.h"
#include "models/config/model_config.h"

namespace openclip::train {

inline std::string golden_path(const std::string& name) {
  return std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/train/" + name + ".json";
}

/// `count` numbers in [-0.5, 0.5).
inline at::Tensor hash_fill(int64_t count, uint32_t salt) {
  at::Tensor out = at::empty({count}, at::kDouble);
  double* values = out.data_ptr<double>();
  for (int64_t i = 0; i < count; ++i) {
    uint32_t x = static_cast<uint32_t>(i) * 0x9E3779B1u + salt * 0x85EBCA77u;
    x ^= x >> 15;
    x *= 0x2C1B3C6Du;
    x ^= x >> 12;
    x *= 0x297A2D39u;
    x ^= x >> 15;
    values[i] = x / 4294967296.0 - 0.5;
  }
  return out;
}

/// The weights that the script gives a model.
inline void fill_weights(TensorStore& store) {
  std::map<std::string, at::Tensor> sorted;
  for (NamedParameter& entry : store.entries())
    if (entry.trainable) sorted[entry.name] = entry.tensor.detach();
  uint32_t salt = 1000;
  for (auto& [name, tensor] : sorted) {
    at::Tensor values = hash_fill(tensor.numel(), salt++);
    if (name == "logit_scale") continue;
    if (tensor.dim() < 2) {
      const bool scale = name.ends_with("weight") || name.ends_with("gamma");
      values = 0.2 * values + (scale ? 1.0 : 0.0);
    } else {
      const int64_t inputs = tensor.dim() == 2 ? tensor.size(-1) : tensor[0].numel();
      values = values * 2 / std::sqrt(static_cast<double>(inputs));
    }
    tensor.copy_(values.to(at::kFloat).view(tensor.sizes()));
  }
}

/// The script's batch number `step`.
inline Batch golden_batch(const ModelConfig& config, int64_t rows, int step) {
  const int64_t size = config.vision.image_size, context = config.text.context_length;
  const int64_t vocab = config.text.vocab_size;
  Batch batch;
  batch.pixels =
      (hash_fill(rows * 3 * size * size, step) * 4).to(at::kFloat).view({rows, 3, size, size});
  const at::Tensor noise = hash_fill(rows * context, step + 500) + 0.5;
  batch.ids =
      ((noise * static_cast<double>(vocab - 3)).floor() + 1).to(at::kLong).view({rows, context});
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = 3 + (row * 5 + step) % (context - 3);
    at::Tensor ids = batch.ids[row];
    ids[0] = vocab - 2;
    ids[length - 1] = vocab - 1;
    ids.slice(0, length).fill_(0);
  }
  batch.labels = at::full({rows}, -1, at::kLong);
  batch.rows = at::arange(step * rows, (step + 1) * rows, at::kLong);
  return batch;
}

/// Two batches as one.
inline Batch joined(const Batch& a, const Batch& b) {
  Batch both;
  for (at::Tensor Batch::*part :
       {&Batch::pixels, &Batch::ids, &Batch::labels, &Batch::rows, &Batch::views})
    if ((a.*part).defined()) both.*part = at::cat({a.*part, b.*part});
  return both;
}

inline ModelConfig golden_config(const Json& golden, const std::string& name) {
  return parse_model_config(golden.at("config").dump(), name, name);
}

}  // namespace openclip::train
