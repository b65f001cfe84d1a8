// The tensors of a checkpoint, checked against the table of names and handed out as the engine
// needs them. Part of rank 4.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "io/lazy_tensor.h"
#include "models/config/tensor_table.h"
#include "tensor/linear.h"
#include "tensor/tensor.h"

namespace openclip {

/// Quantised weights: NAME of type i8 and NAME + kScaleSuffix, f32, with a scale for each row:
/// w[i, j] = q[i, j] * scale[i].
inline constexpr const char* kScaleSuffix = "_scale";

/// Factor and offset of each output channel that follow a layer and are folded into it:
/// y = (x W^T + b) * scale + shift.
struct ChannelAffine {
  std::vector<float> scale, shift;  // shift may be empty = 0
};

class Weights {
 public:
  /// Checks all tensors against `config` (whole, also where only one tower is wanted); their names
  /// are those of open_clip_names (models/names). Reads no data.
  /// Positions of another size are accepted where positions() can resize them.
  /// Throws: ParseError listing all missing, unexpected and mis-shaped tensors.
  Weights(LazyTensors tensors, const std::string& source, const ModelConfig& config,
          Precision precision = Precision::f32, Packing packing = Packing::at_load);

  /// What the products of block_linear(), the bulk of a model's work, are computed in.
  Precision precision() const { return precision_; }

  /// A copy in f32.
  Tensor tensor(const Context& context, const std::string& name) const;

  /// A copy in f32 of rows [begin, begin + count) of a matrix; of bytes times their scales, to
  /// which `as` int8 rounds other types too.
  Tensor rows(const Context& context, const std::string& name,
              std::pair<int64_t, int64_t> begin_count, Precision as = Precision::f32) const;

  /// A copy in f32 of positional embeddings, resized to what the config asks for where the
  /// checkpoint has them for another size.
  Tensor positions(const Context& context, const std::string& name) const;

  /// First element of a scalar or one-element tensor.
  float scalar(const std::string& name) const;

  /// `weight` as a packed layer with `bias` (name, empty = none); [out, in] or [in, out] as
  /// `layout` says, more dimensions count as `in`. rows: only these rows of an [out, in] weight and
  /// bias.
  struct LinearNames {
    std::string weight, bias;
    Linear::Layout layout = Linear::Layout::out_in;
    std::optional<std::pair<int64_t, int64_t>> rows = std::nullopt;  // begin, count
    const ChannelAffine* affine = nullptr;
  };
  Linear linear(const Context& context, const LinearNames& names) const;

  /// `name`.weight and `name`.bias of a torch.nn.Linear.
  Linear linear(const Context& context, const std::string& name,
                const ChannelAffine* affine = nullptr) const;

  /// The same for the large layers of the repeated blocks, whose products are those of precision().
  Linear block_linear(const Context& context, const LinearNames& names) const;
  Linear block_linear(const Context& context, const std::string& name,
                      const ChannelAffine* affine = nullptr) const;

  bool has(const std::string& name) const { return tensors_.contains(name); }

  /// The tensor as it is stored, for rows that are read one by one.
  HeldTensor held(const std::string& name) const;

 private:
  Linear load_linear(const Context& context, const LinearNames& names, Precision precision) const;

  LazyTensors tensors_;
  std::string source_;
  Precision precision_;
  Packing packing_;
  std::vector<TensorSpec> resized_;  // of which the file has another size than the config
};

}  // namespace openclip
