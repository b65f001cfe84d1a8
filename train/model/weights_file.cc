#include "model/weights_file.h"

#include <cstring>

#include "base/error.h"
#include "model/linear.h"
#include "model/tensor_store.h"

namespace openclip::train {
namespace {

at::ScalarType scalar_type(const std::string& name, DType dtype) {
  switch (dtype) {
    case DType::f64:
      return at::kDouble;
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::i64:
      return at::kLong;
    case DType::i32:
      return at::kInt;
    case DType::u8:
      return at::kByte;
    default:
      throw Unsupported(fmt::format("tensor '{}' has type {}", name, dtype_name(dtype)));
  }
}

DType file_type(const std::string& name, at::ScalarType type) {
  if (type == at::kFloat) return DType::f32;
  if (type == at::kLong) return DType::i64;
  if (type == at::kByte) return DType::u8;
  throw Internal("tensor '" + name + "' cannot be stored");
}

}  // namespace

at::Tensor tensor_from_view(const std::string& name, const TensorView& view) {
  at::Tensor tensor = at::empty(view.shape, scalar_type(name, view.dtype));
  if (!view.bytes.empty()) std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

void write_tensors(const std::string& path, const TensorList& tensors, const StringMap& metadata) {
  std::vector<at::Tensor> alive;  // contiguous copies outlive the writer's views
  std::vector<NamedTensor> named;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor flat = tensor.detach().to(at::kCPU).contiguous();
    alive.push_back(flat);
    NamedTensor entry;
    entry.name = name;
    entry.view.dtype = file_type(name, flat.scalar_type());
    entry.view.shape = flat.sizes().vec();
    entry.view.bytes = {static_cast<const uint8_t*>(flat.data_ptr()),
                        static_cast<size_t>(flat.nbytes())};
    entry.store_as = entry.view.dtype;
    named.push_back(std::move(entry));
  }
  write_safetensors(path, std::move(named), metadata);
}

TensorList named_weights(const TensorStore& store) {
  TensorList tensors;
  for (const NamedParameter& entry : store.entries())
    if (!entry.adapter) tensors.emplace_back(entry.name, merged(store, entry));
  return tensors;
}

void save_weights(const TensorStore& store, const std::string& path) {
  write_tensors(path, named_weights(store), {{"format", "pt"}});
}

}  // namespace openclip::train
