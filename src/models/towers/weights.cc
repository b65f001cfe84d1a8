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

// An i8 matrix whose scales are there, one f32 for each row.
bool is_quantised(const LazyTensors& tensors, const std::string& name) {
  const LazyTensor& matrix = tensors.at(name);
  const auto scales = tensors.find(name + kScaleSuffix);
  return matrix.dtype() == DType::i8 && matrix.shape().size() == 2 && scales != tensors.end() &&
         scales->second.dtype() == DType::f32 &&
         scales->second.shape() == std::vector<int64_t>{matrix.shape()[0]};
}

bool is_scale(const LazyTensors& tensors, const std::string& name) {
  if (!name.ends_with(kScaleSuffix)) return false;
  const std::string matrix = name.substr(0, name.size() - std::strlen(kScaleSuffix));
  return tensors.contains(matrix) && is_quantised(tensors, matrix);
}

// "a, b and 7 more": long lists say enough in their first names.
std::string join(const std::vector<std::string>& names) {
  constexpr size_t kShown = 20;
  if (names.size() <= kShown) return fmt::format("{}", fmt::join(names, ", "));
  const std::vector<std::string> shown(names.begin(), names.begin() + kShown);
  return fmt::format("{} and {} more", fmt::join(shown, ", "), names.size() - kShown);
}

// A view as it is where the kernels can read it so; else as floats in `storage`.
StoredMatrix stored_matrix(const Context& context, DType dtype, std::span<const uint8_t> bytes,
                           bool as_floats, Buffer& storage) {
  const size_t size = dtype_size(dtype);
  const bool readable = dtype != DType::f64 && (dtype == DType::f32 || !as_floats) &&
                        reinterpret_cast<uintptr_t>(bytes.data()) % size == 0;
  StoredMatrix matrix;
  matrix.count = bytes.size() / size;
  matrix.data = bytes.data();
  matrix.dtype = dtype;
  if (dtype == DType::i8 || readable) return matrix;
  storage = Buffer(matrix.count);
  to_float(context, dtype, bytes, {storage.data(), storage.size()});
  return std::span<const float>(storage.data(), storage.size());
}

// Multiplies rows of the weights (or their scales) and the bias, and adds the shift. `weight` is
// f32 or i8.
void fold(const ChannelAffine& affine, StoredMatrix& weight, Buffer& storage,
          std::vector<float>& bias, std::vector<float>& scales) {
  const size_t rows = affine.scale.size(), in = rows == 0 ? 0 : weight.count / rows;
  bias.resize(rows);
  for (size_t row = 0; row < rows; ++row) {
    bias[row] *= affine.scale[row];
    if (!affine.shift.empty()) bias[row] += affine.shift[row];
  }
  if (weight.dtype == DType::i8) {
    for (size_t row = 0; row < rows; ++row) scales[row] *= affine.scale[row];
    return;
  }
  Buffer scaled(weight.count);
  const float* from = static_cast<const float*>(weight.data);
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = row * in; i < (row + 1) * in; ++i)
      scaled.data()[i] = from[i] * affine.scale[row];
  storage = std::move(scaled);
  weight.data = storage.data();
}

}  // namespace

Weights::Weights(LazyTensors tensors, const std::string& source, const ModelConfig& config,
                 Precision precision, Packing packing)
    : tensors_(std::move(tensors)), source_(source), precision_(precision), packing_(packing) {
  std::map<std::string, const TensorSpec*> wanted;
  const std::vector<TensorSpec> specs = model_tensors(config);
  for (const TensorSpec& spec : specs) wanted[spec.name] = &spec;
  std::vector<std::string> missing, unexpected, misshaped, mistyped;
  for (const TensorSpec& spec : specs)
    if (!spec.optional && tensors_.count(spec.name) == 0) missing.push_back(spec.name);
  for (const auto& [name, tensor] : tensors_) {
    if (name.ends_with("num_batches_tracked")) continue;  // of no use here
    const auto spec = wanted.find(name);
    if (spec == wanted.end() && is_scale(tensors_, name)) continue;
    if (spec == wanted.end())
      unexpected.push_back(name);
    else if (!same_shape(tensor.shape(), spec->second->shape) &&
             !can_resize(tensor.shape(), *spec->second))
      misshaped.push_back(fmt::format("{} is {}, should be {}", name, Shape(tensor.shape()).str(),
                                      Shape(spec->second->shape).str()));
    else if (!dtype_is_float(tensor.dtype()) && !is_quantised(tensors_, name))
      mistyped.push_back(fmt::format("{} is {}", name, dtype_name(tensor.dtype())));
    else if (!same_shape(tensor.shape(), spec->second->shape))
      resized_.push_back(*spec->second);
  }
  std::vector<std::string> problems;
  if (!missing.empty()) problems.push_back("missing tensors: " + join(missing));
  if (!unexpected.empty()) problems.push_back("unexpected tensors: " + join(unexpected));
  if (!misshaped.empty()) problems.push_back("wrong shapes: " + join(misshaped));
  if (!mistyped.empty())
    problems.push_back("types other than f32, f16, bf16, f64, or i8 with scales: " +
                       join(mistyped));
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

Tensor Weights::rows(const Context& context, const std::string& name,
                     std::pair<int64_t, int64_t> begin_count, Precision as) const {
  const HeldTensor stored = held(name);
  const TensorView& from = stored.view;
  const auto begin = static_cast<size_t>(begin_count.first);
  const auto count = static_cast<size_t>(begin_count.second);
  const auto columns = static_cast<size_t>(from.shape[1]);
  Tensor out{Shape{begin_count.second, from.shape[1]}};
  const size_t row_bytes = columns * dtype_size(from.dtype);
  const std::span<const uint8_t> bytes = from.bytes.subspan(begin * row_bytes, count * row_bytes);
  if (from.dtype == DType::i8) {
    const Tensor scales = tensor(context, name + kScaleSuffix);
    dequantise_rows(reinterpret_cast<const int8_t*>(bytes.data()), scales.data() + begin, count,
                    columns, out.data());
    return out;
  }
  to_float(context, from.dtype, bytes, {out.data(), count * columns});
  if (as != Precision::int8) return out;
  std::vector<int8_t> quantised(count * columns);
  std::vector<float> scales(count);
  kernels::quantise_columns(out.data(), count, columns, quantised.data(), scales.data());
  dequantise_rows(quantised.data(), scales.data(), count, columns, out.data());
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

Linear Weights::load_linear(const Context& context, const LinearNames& names,
                            Precision precision) const {
  const HeldTensor stored = held(names.weight);
  const TensorView& from = stored.view;
  const bool out_in = names.layout == Linear::Layout::out_in;
  check_arg(out_in || names.affine == nullptr,
            "[weights] only [out, in] weights can be scaled, got {}", names.weight);
  int64_t out = out_in ? from.shape.front() : from.shape.back();
  const int64_t in = out == 0 ? 0 : element_count(from.shape) / out;
  std::span<const uint8_t> bytes = from.bytes;
  size_t first = 0;
  if (names.rows) {
    first = static_cast<size_t>(names.rows->first);
    out = names.rows->second;
    const size_t row_bytes = static_cast<size_t>(in) * dtype_size(from.dtype);
    bytes = bytes.subspan(first * row_bytes, static_cast<size_t>(out) * row_bytes);
  }
  const auto rows = static_cast<size_t>(out);
  Buffer storage;
  StoredMatrix weight = stored_matrix(context, from.dtype, bytes, names.affine != nullptr, storage);
  std::vector<float> bias, scales;
  if (!names.bias.empty()) {
    const Tensor all = tensor(context, names.bias);
    bias.assign(all.data() + first, all.data() + first + rows);
  }
  if (from.dtype == DType::i8) {
    const Tensor all = tensor(context, names.weight + kScaleSuffix);
    scales.assign(all.data() + first, all.data() + first + rows);
  }
  if (names.affine != nullptr) fold(*names.affine, weight, storage, bias, scales);
  if (packing_ == Packing::at_second_use && storage.size() == 0) weight.holder = stored.holder;
  weight.scales = scales;
  return Linear(context, weight, bias, {in, out, names.layout}, precision);
}

Linear Weights::linear(const Context& context, const LinearNames& names) const {
  return load_linear(context, names, Precision::f32);
}

Linear Weights::linear(const Context& context, const std::string& name,
                       const ChannelAffine* affine) const {
  return linear(context,
                LinearNames{.weight = name + ".weight", .bias = name + ".bias", .affine = affine});
}

Linear Weights::block_linear(const Context& context, const LinearNames& names) const {
  return load_linear(context, names, precision_);
}

Linear Weights::block_linear(const Context& context, const std::string& name,
                             const ChannelAffine* affine) const {
  return block_linear(
      context, LinearNames{.weight = name + ".weight", .bias = name + ".bias", .affine = affine});
}

}  // namespace openclip
