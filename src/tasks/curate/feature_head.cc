#include "tasks/curate/feature_head.h"

#include <charconv>
#include <map>

#include "base/error.h"
#include "io/checkpoint.h"
#include "tensor/convert.h"

namespace openclip {
namespace {

// The number N of "layers.N.weight"; -1 for other names.
int layer_number(const std::string& name) {
  constexpr std::string_view kPrefix = "layers.", kSuffix = ".weight";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return -1;
  const char* begin = name.data() + kPrefix.size();
  const char* end = name.data() + name.size() - kSuffix.size();
  int number = -1;
  const auto [stop, error] = std::from_chars(begin, end, number);
  return error == std::errc() && stop == end ? number : -1;
}

// Names of the layers without ".weight", by their number in the Sequential.
std::map<int, std::string> find_layers(const Checkpoint& file) {
  std::map<int, std::string> layers;
  if (file.tensors().contains("weight")) layers[0] = "";
  for (const auto& [name, tensor] : file.tensors())
    if (const int number = layer_number(name); number >= 0)
      layers[number] = fmt::format("layers.{}.", number);
  if (layers.empty())
    throw ParseError(file.path(), "holds neither 'weight' nor 'layers.N.weight'; it is no head");
  return layers;
}

std::vector<float> floats(const Context& context, const Checkpoint& file, const std::string& name,
                          const std::vector<int64_t>& shape) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end()) throw ParseError(file.path(), "has no tensor " + name);
  if (found->second.shape() != shape)
    throw ParseError(file.path(),
                     fmt::format("tensor {} must have shape [{}]", name, fmt::join(shape, ", ")));
  const HeldTensor held = found->second.load();
  std::vector<float> out(held.view.bytes.size() / dtype_size(held.view.dtype));
  to_float(context, held.view.dtype, held.view.bytes, out);
  return out;
}

}  // namespace

FeatureHead FeatureHead::open(const Context& context, const std::string& path, int64_t dim) {
  const Checkpoint file = Checkpoint::open(path);
  FeatureHead head;
  int64_t in = dim;
  int last = -1;
  for (const auto& [number, prefix] : find_layers(file)) {
    const LazyTensor& weight = file.tensors().at(prefix + "weight");
    if (weight.shape().size() != 2 || weight.shape()[1] != in || weight.shape()[0] < 1)
      throw ParseError(path, fmt::format("tensor {}weight must take {} numbers{}", prefix, in,
                                         last < 0 ? ", the model's features" : ""));
    const int64_t out = weight.shape()[0];
    if (last >= 0) head.relu_after_.push_back(number - last == 3);
    head.layers_.emplace_back(context, floats(context, file, prefix + "weight", {out, in}),
                              floats(context, file, prefix + "bias", {out}),
                              Linear::Shape{in, out});
    in = out;
    last = number;
  }
  if (in != 1) throw ParseError(path, fmt::format("ends with {} numbers, must be 1", in));
  head.relu_after_.push_back(false);
  return head;
}

std::vector<float> FeatureHead::scores(const Context& context,
                                       std::span<const float> features) const {
  const int64_t n = static_cast<int64_t>(features.size()) / layers_.front().in();
  std::vector<float> now(features.begin(), features.end()), next;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Linear& layer = layers_[i];
    next.resize(static_cast<size_t>(n * layer.out()));
    linear(context, {now.data(), n, layer.in()}, layer, {next.data(), n, layer.out()},
           {.op = relu_after_[i] ? UnaryOp::relu : UnaryOp::identity});
    std::swap(now, next);
  }
  return now;
}

}  // namespace openclip
