#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace openclip {
namespace {

std::string header_dtype(DType dtype) {
  std::string name(dtype_name(dtype));
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void check_tensor(const NamedTensor& tensor) {
  const TensorView& view = tensor.view;
  check_arg(!tensor.name.empty() && tensor.name != "__metadata__",
            "[write_safetensors] a tensor cannot be called '{}'", tensor.name);
  const auto wanted = static_cast<size_t>(element_count(view.shape)) * dtype_size(view.dtype);
  check_arg(view.bytes.size() == wanted, "[write_safetensors] tensor '{}' needs {} bytes, got {}",
            tensor.name, wanted, view.bytes.size());
  const bool converts =
      view.dtype == DType::f32 && (tensor.store_as == DType::f16 || tensor.store_as == DType::bf16);
  check_arg(tensor.store_as == view.dtype || converts,
            "[write_safetensors] tensor '{}' is {}, which cannot be stored as {}", tensor.name,
            dtype_name(view.dtype), dtype_name(tensor.store_as));
}

size_t stored_bytes(const NamedTensor& tensor) {
  return tensor.view.bytes.size() / dtype_size(tensor.view.dtype) * dtype_size(tensor.store_as);
}

// Converts in pieces so that a large model never exists twice in memory.
void write_as_half(std::ostream& out, const NamedTensor& tensor) {
  constexpr size_t kChunk = 1 << 15;
  std::vector<uint16_t> chunk(kChunk);
  const size_t count = tensor.view.bytes.size() / sizeof(float);
  for (size_t done = 0; done < count && out;) {
    const size_t size = std::min(kChunk, count - done);
    for (size_t i = 0; i < size; ++i) {
      float value;
      std::memcpy(&value, tensor.view.bytes.data() + (done + i) * sizeof(float), sizeof(float));
      chunk[i] = tensor.store_as == DType::f16 ? f32_to_f16(value) : f32_to_bf16(value);
    }
    out.write(reinterpret_cast<const char*>(chunk.data()),
              static_cast<std::streamsize>(size * sizeof(uint16_t)));
    done += size;
  }
}

std::string make_header(const std::vector<NamedTensor>& tensors, const StringMap& metadata) {
  OrderedJson header = OrderedJson::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    const size_t end = offset + stored_bytes(tensor);
    header[tensor.name] = {{"dtype", header_dtype(tensor.store_as)},
                           {"shape", tensor.view.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const OrderedJson::exception&) {
    throw InvalidArgument("[write_safetensors] a name or metadata value is not valid UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data starts at a multiple of 8
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, std::vector<NamedTensor> tensors,
                       const StringMap& metadata) {
  for (const NamedTensor& tensor : tensors) check_tensor(tensor);
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    const size_t size_a = dtype_size(a.store_as), size_b = dtype_size(b.store_as);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  std::vector<std::string_view> names;
  for (const NamedTensor& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  check_arg(twice == names.end(), "[write_safetensors] tensor '{}' is given twice",
            twice == names.end() ? "" : *twice);
  const std::string header = make_header(tensors, metadata);

  write_file_atomic(path, [&](std::ostream& out) {
    char length[8];
    for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
    out.write(length, 8);
    out.write(header.data(), static_cast<std::streamsize>(header.size()));
    for (const NamedTensor& tensor : tensors) {
      if (tensor.store_as != tensor.view.dtype)
        write_as_half(out, tensor);
      else
        out.write(reinterpret_cast<const char*>(tensor.view.bytes.data()),
                  static_cast<std::streamsize>(tensor.view.bytes.size()));
    }
  });
}

}  // namespace openclip
