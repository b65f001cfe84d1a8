#include "tasks/label_vectors.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/environment.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mapped_file.h"
#include "io/safetensors.h"
#include "io/shard_index.h"
#include "models/tokenizer_source.h"
#include "text/hf_folder.h"

namespace openclip {
namespace {

constexpr size_t kSample = size_t{1} << 20;  // bytes of the weights' head and tail in the key

// Hashes parts with their lengths, so that "ab","c" and "a","bc" differ.
class Hasher {
 public:
  Hasher() { XXH3_128bits_reset(&state_); }
  void add(const void* bytes, size_t size) {
    const uint64_t length = size;
    XXH3_128bits_update(&state_, &length, sizeof(length));
    XXH3_128bits_update(&state_, bytes, size);
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  std::string hex() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(&state_);
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  }

 private:
  XXH3_state_t state_{};
};

void add_weights(Hasher& hasher, const std::string& path) {
  if (path.ends_with(".index.json"))  // two models in shards may have the same index
    for (const auto& [shard, names] : read_shard_index(path)) add_weights(hasher, shard);
  const MappedFile file(path);
  const std::span<const uint8_t> bytes = file.bytes();
  const uint64_t size = bytes.size();
  hasher.add(&size, sizeof(size));
  const size_t part = std::min(kSample, bytes.size());
  hasher.add(bytes.data(), part);
  hasher.add(bytes.data() + bytes.size() - part, part);
}

std::string file_in(const std::string& folder, const std::string& key) {
  return fmt::format("{}/label_vectors/{}.safetensors", folder, key);
}

std::optional<std::vector<float>> read_vectors(const std::string& path, int64_t labels,
                                               int64_t dim) {
  if (!is_file(path)) return std::nullopt;
  try {
    const SafetensorsFile file = SafetensorsFile::open(path);
    const TensorView& view = file.tensor("vectors");
    if (view.dtype != DType::f32 || view.shape != std::vector<int64_t>{labels, dim})
      return std::nullopt;
    std::vector<float> vectors(view.bytes.size() / sizeof(float));
    std::memcpy(vectors.data(), view.bytes.data(), view.bytes.size());
    return vectors;
  } catch (const Error&) {
    return std::nullopt;  // damaged: computed again
  }
}

}  // namespace

std::string label_vectors_key(const ModelSource& source, const std::vector<std::string>& labels,
                              const std::vector<std::string>& templates) {
  Hasher hasher;
  hasher.add(std::string("openclip label vectors 1"));
  for (const auto* texts : {&labels, &templates}) {
    const uint64_t count = texts->size();
    hasher.add(&count, sizeof(count));
    for (const std::string& text : *texts) hasher.add(text);
  }
  hasher.add(source.config.model_cfg_json);
  if (const auto folder = local_tokenizer_folder(source))
    for (const std::string& path : hf_tokenizer_files(*folder)) {
      const MappedFile file(path);
      hasher.add(file.bytes().data(), file.bytes().size());
    }
  add_weights(hasher, source.weights);
  return hasher.hex();
}

std::optional<std::vector<float>> find_label_vectors(const ModelSource& source,
                                                     const std::string& key, size_t labels) {
  for (const std::string& folder : {source.folder, cache_folder()}) {
    if (folder.empty()) continue;
    if (auto vectors = read_vectors(file_in(folder, key), static_cast<int64_t>(labels),
                                    source.config.embed_dim))
      return vectors;
  }
  return std::nullopt;
}

void keep_label_vectors(const ModelSource& source, const std::string& key,
                        const std::vector<float>& vectors) {
  const std::string folder = cache_folder();
  if (folder.empty()) return;
  const std::string path = file_in(folder, key);
  const int64_t dim = source.config.embed_dim;
  const TensorView view{
      .dtype = DType::f32,
      .shape = {static_cast<int64_t>(vectors.size()) / dim, dim},
      .bytes = {reinterpret_cast<const uint8_t*>(vectors.data()), vectors.size() * sizeof(float)}};
  try {
    std::error_code ec;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ec);
    write_safetensors(path, {{.name = "vectors", .view = view}});
  } catch (const Error&) {
    // A read-only home or a full disk costs the next call its time, nothing else.
  }
}

}  // namespace openclip
