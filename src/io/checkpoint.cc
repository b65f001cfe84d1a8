#include "io/checkpoint.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "io/shard_index.h"
#include "io/torch_file.h"

namespace openclip {
namespace {

enum class Format { safetensors, torch_zip, torch_legacy, unknown };

bool starts_with(std::span<const uint8_t> bytes, std::string_view text, size_t at = 0) {
  if (bytes.size() < at + text.size()) return false;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()) + at, text.size()) == text;
}

// A safetensors file starts with the length of its header, any eight bytes, then a JSON object.
Format format_of(std::span<const uint8_t> bytes, const std::string& path) {
  const bool has_json = starts_with(bytes, "{", 8);
  if (!has_json && starts_with(bytes, "PK\3\4")) return Format::torch_zip;
  if (!has_json && bytes.size() >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
    return Format::torch_legacy;
  return has_json || path.ends_with(".safetensors") ? Format::safetensors : Format::unknown;
}

// What people save or download in place of a checkpoint.
[[noreturn]] void fail_unknown(std::span<const uint8_t> bytes, const std::string& path) {
  const char* known = nullptr;
  if (starts_with(bytes, "version https://git-lfs"))
    known = "is a Git LFS pointer, not the weights; fetch them with 'git lfs pull'";
  else if (starts_with(bytes, "<"))
    known = "is a web page, not the weights; download the file itself";
  else if (starts_with(bytes, "ustar", 257))
    known = "is a tar archive, as PyTorch wrote them before 0.1.10; save it again with torch.save";
  else if (starts_with(bytes, "GGUF"))
    known = "is a GGUF file, which this version does not read";
  else if (starts_with(bytes, "\x89HDF"))
    known = "is an HDF5 file, which this version does not read";
  throw ParseError(path, known != nullptr ? known : "is neither a safetensors nor a PyTorch file");
}

// The same tensor, whose pages leave the memory with the last HeldTensor of a load: what was packed
// for the kernels need not stay twice.
LazyTensor dropping_pages(const LazyTensor& tensor, std::shared_ptr<const MappedFile> file) {
  return LazyTensor(tensor.dtype(), tensor.shape(), [tensor, file = std::move(file)] {
    HeldTensor held = tensor.load();
    const std::span<const uint8_t> bytes = held.view.bytes;
    held.holder = std::shared_ptr<const void>(
        bytes.data(),
        [file, bytes, holder = std::move(held.holder)](const void*) { file->drop_pages(bytes); });
    return held;
  });
}

}  // namespace

Checkpoint Checkpoint::open(const std::string& path) {
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  if (path.ends_with(".index.json"))
    checkpoint.add_shards(path);
  else
    checkpoint.add_file(path);
  return checkpoint;
}

void Checkpoint::add_file(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  switch (format_of(file->bytes(), path)) {
    case Format::safetensors:
      for (auto& [name, view] : parse_safetensors(path, file->bytes(), &metadata_))
        tensors_.emplace(name, LazyTensor(std::move(view), file));
      break;
    case Format::torch_zip:
      tensors_ = read_torch_zip(path, file->bytes(), file);
      break;
    case Format::torch_legacy:
      tensors_ = read_torch_legacy(path, file->bytes(), file);
      break;
    case Format::unknown:
      fail_unknown(file->bytes(), path);
  }
  for (auto& [name, tensor] : tensors_) tensor = dropping_pages(tensor, file);
}

void Checkpoint::add_shards(const std::string& path) {
  for (const auto& [file, names] : read_shard_index(path)) {
    Checkpoint shard;
    shard.add_file(file);
    for (const std::string& name : names) {
      const auto found = shard.tensors_.find(name);
      if (found == shard.tensors_.end())
        throw ParseError(path, fmt::format("shard {} lacks tensor '{}'", file, name));
      tensors_.emplace(name, found->second);
    }
    for (auto& [key, value] : shard.metadata_) metadata_.emplace(key, value);
  }
}

}  // namespace openclip
