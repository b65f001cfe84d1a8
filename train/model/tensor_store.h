// The tensors of a model under open_clip's names, in the order of the tensor table. The towers read
// their weights from it by name; the optimiser and the checkpoints walk it.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "models/config/tensor_table.h"

namespace openclip::train {

/// One named tensor. Trainable ones are autograd leaves; the others are BatchNorm statistics.
struct NamedParameter {
  std::string name;
  at::Tensor tensor;
  bool trainable = true;
  bool optional = false;  // may be missing in a checkpoint
  bool adapter = false;   // LoRA's; files hold it merged into the tensor that it adapts
};

class TensorStore {
 public:
  /// Creates every tensor that `specs` lists with its initial value. The same seed gives the same
  /// values on every machine; 4-d trainable tensors (convolutions) are laid out channels last.
  static TensorStore create(const std::vector<TensorSpec>& specs, uint64_t seed);

  /// The tensor called `name`. Throws: Internal if the table has none.
  const at::Tensor& get(const std::string& name) const;
  bool has(const std::string& name) const { return index_.count(name) != 0; }

  /// Adds a tensor at the end. Throws: Internal if the name is taken.
  void add(NamedParameter parameter);

  std::vector<NamedParameter>& entries() { return entries_; }
  const std::vector<NamedParameter>& entries() const { return entries_; }

  /// What adapters are multiplied with (linear.h).
  double lora_scale() const { return lora_scale_; }
  void set_lora_scale(double scale) { lora_scale_ = scale; }

  /// Moves all tensors; trainable ones stay leaves.
  void to(const at::Device& device);

  /// Number of trainable elements.
  int64_t trainable_count() const;

  /// Detached copies under the same names, for averaged weights.
  TensorStore clone() const;

 private:
  std::vector<NamedParameter> entries_;
  std::unordered_map<std::string, size_t> index_;
  double lora_scale_ = 0;
};

/// Which tensors of a file are wanted.
struct LoadOptions {
  std::string only_prefix;        // others are neither read nor missed; empty = all
  bool resize_positions = false;  // position embeddings of another size are interpolated
};

/// Overwrites tensors with those of a checkpoint in any format that src/io/checkpoint reads
/// (open_clip's names). Throws: ParseError listing all missing, unexpected and mis-shaped tensors
/// in one text.
void load_weights(TensorStore& store, const std::string& path, const LoadOptions& options = {});

/// Writes a safetensors file (f32; counters i64), atomically.
void save_weights(const TensorStore& store, const std::string& path);

}  // namespace openclip::train
