#include "models/quantise.h"

#include <algorithm>
#include <array>

#include "kernels/matmul.h"
#include "models/towers/weights.h"
#include "tensor/convert.h"

namespace openclip {
namespace {

// What Weights::block_linear() reads: the matrices of ViT's, timm's, ConvNeXt's and RoBERTa's
// blocks. Convolutions are quantised when they are loaded, and so are the queries, keys and values
// of FastViT, into which a BatchNorm is folded first.
bool is_block_matrix(const std::string& name, const LazyTensor& tensor) {
  static constexpr std::array kBlocks = {"resblocks.", ".blocks.", "encoder.layer."};
  return tensor.shape().size() == 2 && dtype_is_float(tensor.dtype()) && name.ends_with("weight") &&
         !name.ends_with("token_mixer.qkv.weight") &&
         std::any_of(kBlocks.begin(), kBlocks.end(),
                     [&](const char* part) { return name.find(part) != std::string::npos; });
}

struct Bytes {
  std::vector<int8_t> q;
  std::vector<float> scales;
};

std::shared_ptr<const Bytes> quantise(const LazyTensor& tensor) {
  const auto rows = static_cast<size_t>(tensor.shape()[0]);
  const auto k = static_cast<size_t>(tensor.shape()[1]);
  const HeldTensor held = tensor.load();
  std::vector<float> values(rows * k);
  to_float(Context(1), tensor.dtype(), held.view.bytes, values);
  const auto bytes = std::make_shared<Bytes>();
  bytes->q.resize(values.size());
  bytes->scales.resize(rows);
  kernels::quantise_columns(values.data(), rows, k, bytes->q.data(), bytes->scales.data());
  return bytes;
}

template <class T>
HeldTensor held(DType dtype, std::vector<int64_t> shape, const std::vector<T>& values,
                std::shared_ptr<const void> holder) {
  return {{dtype,
           std::move(shape),
           {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)}},
          std::move(holder)};
}

}  // namespace

LazyTensors quantised(const LazyTensors& tensors) {
  LazyTensors out;
  for (const auto& [name, tensor] : tensors) {
    if (!is_block_matrix(name, tensor)) {
      out.emplace(name, tensor);
      continue;
    }
    const std::vector<int64_t> shape = tensor.shape(), rows = {shape[0]};
    out.emplace(name, LazyTensor(DType::i8, shape, [tensor, shape] {
                  const auto bytes = quantise(tensor);
                  return held(DType::i8, shape, bytes->q, bytes);
                }));
    out.emplace(name + kScaleSuffix, LazyTensor(DType::f32, rows, [tensor, rows] {
                  const auto bytes = quantise(tensor);
                  return held(DType::f32, rows, bytes->scales, bytes);
                }));
  }
  return out;
}

}  // namespace openclip
