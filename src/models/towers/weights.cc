#include "models/towers/weights.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/error.h"
#include "models/towers/positions.h"
#include "tensor/convert.h"

namespace openclip {
namespace {

// Scalars are stored as [] or [1] (nonscalar_logit_scale).
bool same_shape(const std::vector<int64_t>& got, const std::vector<int64_t>& want) {
  if (want.empty() && got == std::vector<int64_t>{1}) return true;
  return got == want;
}

// Whether positions() can make `want` from what the file has: another grid or length, equal
// otherwise.
bool can_resize(const std::vector<int64_t>& got, const TensorSpec& want) {
  if (want.resize == TensorSpec::Resize::none || got.size() != want.shape.size()) return false;
  const size_t rows = got.size() - 2;
  for (size_t axis = 0; axis < got.size(); ++axis)
    if (axis != rows && got[axis] != want.shape[axis]) return false;
  if (want.resize == TensorSpec::Resize::sequence) return got[rows] > 0;
  return got[rows] > want.prefix_rows && square_root(got[rows] - want.prefix_rows) > 0;
}

// "a, b and 7 more": long lists say enough in their first names.
std::string join(const std::vector<std::string>& names) {
  constexpr size_t kShown = 20;
  if (names.size() <= kShown) return fmt::format("{}", fmt::join(names, ", "));
  const std::vector<std::string> shown(names.begin(), names.begin() + kShown);
  return fmt::format("{} and {} more", fmt::join(shown, ", "), names.size() - kShown);
}

// Floats of a view without a copy where the file holds aligned f32; else converted into `storage`.
std::span<const float> floats_of(const Context& context, DType dtype,
                                 std::span<const uint8_t> bytes, Buffer& storage) {
  if (dtype == DType::f32 && reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0)
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
  storage = Buffer(bytes.size() / dtype_size(dtype));
  to_float(context, dtype, bytes, {storage.data(), storage.size()});
  return {storage.data(), storage.size()};
}

}  // namespace

Weights::Weights(LazyTensors tensors, const std::string& source, const ModelConfig& config)
    : tensors_(std::move(tensors)), source_(source) {
  std::map<std::string, const TensorSpec*> wanted;
  const std::vector<TensorSpec> specs = model_tensors(config);
  for (const TensorSpec& spec : specs) wanted[spec.name] = &spec;
  std::vector<std::string> missing, unexpected, misshaped, mistyped;
  for (const TensorSpec& spec : specs)
    if (!spec.optional && tensors_.count(spec.name) == 0) missing.push_back(spec.name);
  for (const auto& [name, tensor] : tensors_) {
    if (name.ends_with("num_batches_tracked")) continue;  // of no use here
    const auto spec = wanted.find(name);
    if (spec == wanted.end())
      unexpected.push_back(name);
    else if (!same_shape(tensor.shape(), spec->second->shape) &&
             !can_resize(tensor.shape(), *spec->second))
      misshaped.push_back(fmt::format("{} is {}, should be {}", name, Shape(tensor.shape()).str(),
                                      Shape(spec->second->shape).str()));
    else if (!dtype_is_float(tensor.dtype()))
      mistyped.push_back(fmt::format("{} is {}", name, dtype_name(tensor.dtype())));
    else if (!same_shape(tensor.shape(), spec->second->shape))
      resized_.push_back(*spec->second);
  }
  std::vector<std::string> problems;
  if (!missing.empty()) problems.push_back("missing tensors: " + join(missing));
  if (!unexpected.empty()) problems.push_back("unexpected tensors: " + join(unexpected));
  if (!misshaped.empty()) problems.push_back("wrong shapes: " + join(misshaped));
  if (!mistyped.empty())
    problems.push_back("types other than f32, f16, bf16, f64: " + join(mistyped));
  if (!problems.empty())
    throw ParseError(source_, fmt::format("does not hold the model '{}': {}", config.name,
                                          fmt::join(problems, "; ")));
}

HeldTensor Weights::held(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw NotFound(fmt::format("{}: no tensor '{}'", source_, name));
  return found->second.load();
}

Tensor Weights::tensor(const Context& context, const std::string& name) const {
  const HeldTensor stored = held(name);
  const TensorView& from = stored.view;
  Tensor out{Shape(from.shape)};
  to_float(context, from.dtype, from.bytes, {out.data(), static_cast<size_t>(out.elements())});
  return out;
}

Tensor Weights::positions(const Context& context, const std::string& name) const {
  Tensor stored = tensor(context, name);
  for (const TensorSpec& spec : resized_) {
    if (spec.name != name) continue;
    const int64_t rows = spec.shape[spec.shape.size() - 2];
    if (spec.resize == TensorSpec::Resize::sequence) return resize_text_positions(stored, rows);
    return resize_grid_positions(stored, spec.prefix_rows, square_root(rows - spec.prefix_rows));
  }
  return stored;
}

float Weights::scalar(const std::string& name) const { return tensor(Context(1), name).data()[0]; }

Linear Weights::linear(const Context& context, const LinearNames& names) const {
  const HeldTensor stored = held(names.weight);
  const TensorView& from = stored.view;
  const bool out_in = names.layout == Linear::Layout::out_in;
  int64_t out = out_in ? from.shape.front() : from.shape.back();
  const int64_t in = out == 0 ? 0 : element_count(from.shape) / out;
  std::span<const uint8_t> bytes = from.bytes;
  int64_t first = 0;
  if (names.rows) {
    first = names.rows->first;
    out = names.rows->second;
    const size_t row_bytes = static_cast<size_t>(in) * dtype_size(from.dtype);
    bytes =
        bytes.subspan(static_cast<size_t>(first) * row_bytes, static_cast<size_t>(out) * row_bytes);
  }
  Buffer storage;
  std::span<const float> weight = floats_of(context, from.dtype, bytes, storage);
  Tensor stored_bias;
  std::vector<float> bias;
  if (!names.bias.empty()) {
    stored_bias = tensor(context, names.bias);
    const std::span<const float> all = stored_bias.span();
    bias.assign(all.begin() + first, all.begin() + first + out);
  }
  if (names.affine == nullptr) return Linear(context, weight, bias, in, out, names.layout);

  check_arg(out_in, "[weights] only [out, in] weights can be scaled, got {}", names.weight);
  Buffer scaled(weight.size());
  bias.resize(static_cast<size_t>(out));
  for (size_t row = 0; row < bias.size(); ++row) {
    const float scale = names.affine->scale[row];
    const size_t begin = row * static_cast<size_t>(in);
    for (size_t i = begin; i < begin + static_cast<size_t>(in); ++i)
      scaled.data()[i] = weight[i] * scale;
    bias[row] *= scale;
    if (!names.affine->shift.empty()) bias[row] += names.affine->shift[row];
  }
  return Linear(context, {scaled.data(), scaled.size()}, bias, in, out, names.layout);
}

Linear Weights::linear(const Context& context, const std::string& name,
                       const ChannelAffine* affine) const {
  return linear(context,
                LinearNames{.weight = name + ".weight", .bias = name + ".bias", .affine = affine});
}

}  // namespace openclip
