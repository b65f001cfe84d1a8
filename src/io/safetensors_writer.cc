#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "io/json.h"
#include "io/lazy_tensor.h"

namespace openclip {
namespace {

std::string header_dtype(DType dtype) {
  std::string name(dtype_name(dtype));
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void check_tensor(const LazyEntry& entry) {
  check_arg(!entry.name.empty() && entry.name != "__metadata__",
            "[write_safetensors] a tensor cannot be called '{}'", entry.name);
  const DType from = entry.tensor.dtype(), to = entry.store_as;
  const bool converts = dtype_is_float(from) && dtype_is_float(to) && to != DType::f64;
  check_arg(to == from || converts,
            "[write_safetensors] tensor '{}' is {}, which cannot be stored as {}", entry.name,
            dtype_name(from), dtype_name(to));
}

size_t stored_bytes(const LazyEntry& entry) {
  return static_cast<size_t>(element_count(entry.tensor.shape())) * dtype_size(entry.store_as);
}

template <class T>
T read_at(const uint8_t* from, size_t index) {
  T value;
  std::memcpy(&value, from + index * sizeof value, sizeof value);
  return value;
}

float float_at(DType dtype, const uint8_t* from, size_t index) {
  switch (dtype) {
    case DType::f64:
      return static_cast<float>(read_at<double>(from, index));
    case DType::f16:
      return f16_to_f32(read_at<uint16_t>(from, index));
    case DType::bf16:
      return bf16_to_f32(read_at<uint16_t>(from, index));
    default:
      return read_at<float>(from, index);
  }
}

// Converts in pieces so that a large tensor never exists twice in memory.
template <class T, class Convert>
void write_converted(std::ostream& out, const TensorView& view, Convert&& convert) {
  constexpr size_t kChunk = 1 << 15;
  std::vector<T> chunk(kChunk);
  const size_t count = view.bytes.size() / dtype_size(view.dtype);
  for (size_t done = 0; done < count && out;) {
    const size_t size = std::min(kChunk, count - done);
    for (size_t i = 0; i < size; ++i)
      chunk[i] = convert(float_at(view.dtype, view.bytes.data(), done + i));
    out.write(reinterpret_cast<const char*>(chunk.data()),
              static_cast<std::streamsize>(size * sizeof(T)));
    done += size;
  }
}

void write_tensor(std::ostream& out, const LazyEntry& entry) {
  const HeldTensor held = entry.tensor.load();
  const TensorView& view = held.view;
  if (entry.store_as == view.dtype)
    out.write(reinterpret_cast<const char*>(view.bytes.data()),
              static_cast<std::streamsize>(view.bytes.size()));
  else if (entry.store_as == DType::f16)
    write_converted<uint16_t>(out, view, f32_to_f16);
  else if (entry.store_as == DType::bf16)
    write_converted<uint16_t>(out, view, f32_to_bf16);
  else
    write_converted<float>(out, view, [](float value) { return value; });
}

std::string make_header(const std::vector<LazyEntry>& tensors, const StringMap& metadata) {
  OrderedJson header = OrderedJson::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const LazyEntry& entry : tensors) {
    const size_t end = offset + stored_bytes(entry);
    header[entry.name] = {{"dtype", header_dtype(entry.store_as)},
                          {"shape", entry.tensor.shape()},
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
  std::vector<LazyEntry> entries;
  for (NamedTensor& tensor : tensors) {
    const TensorView& view = tensor.view;
    const auto wanted = static_cast<size_t>(element_count(view.shape)) * dtype_size(view.dtype);
    check_arg(view.bytes.size() == wanted, "[write_safetensors] tensor '{}' needs {} bytes, got {}",
              tensor.name, wanted, view.bytes.size());
    entries.push_back({std::move(tensor.name), LazyTensor(view, nullptr), tensor.store_as});
  }
  write_safetensors(path, std::move(entries), metadata);
}

void write_safetensors(const std::string& path, std::vector<LazyEntry> tensors,
                       const StringMap& metadata) {
  for (const LazyEntry& entry : tensors) check_tensor(entry);
  std::sort(tensors.begin(), tensors.end(), [](const LazyEntry& a, const LazyEntry& b) {
    const size_t size_a = dtype_size(a.store_as), size_b = dtype_size(b.store_as);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  std::vector<std::string_view> names;
  for (const LazyEntry& entry : tensors) names.push_back(entry.name);
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
    for (const LazyEntry& entry : tensors) {
      if (!out) break;  // the disk is full; the caller says so
      write_tensor(out, entry);
    }
  });
}

}  // namespace openclip
