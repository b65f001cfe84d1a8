#include "models/random_weights.h"

#include <stdlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "models/config/sin_cos.h"
#include "models/config/tensor_table.h"

namespace openclip {
namespace {

int64_t count_of(const TensorSpec& spec) {
  int64_t count = 1;
  for (const int64_t dim : spec.shape) count *= dim;
  return count;
}

// SplitMix64: the same numbers on every platform, unlike the standard library's distributions.
uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// Half-width of a uniform distribution with the standard deviation of `init`.
float half_width(const Init& init) {
  if (init.kind == Init::Kind::normal) return static_cast<float>(init.a * std::sqrt(3.0));
  return init.kind == Init::Kind::uniform ? static_cast<float>(init.a) : 0.0f;
}

void write_values(std::ostream& out, const TensorSpec& spec, uint64_t& state) {
  if (spec.init.kind == Init::Kind::sin_cos) {
    const int grid = static_cast<int>(std::sqrt(static_cast<double>(spec.shape[0] - 1)) + 0.5);
    const std::vector<float> fixed = sin_cos_positions(grid, static_cast<int>(spec.shape[1]));
    out.write(reinterpret_cast<const char*>(fixed.data()),
              static_cast<std::streamsize>(fixed.size() * sizeof(float)));
    return;
  }
  const float width = half_width(spec.init);
  const float centre = spec.init.kind == Init::Kind::constant ? static_cast<float>(spec.init.a) : 0;
  std::vector<float> chunk;
  for (int64_t left = count_of(spec); left > 0; left -= static_cast<int64_t>(chunk.size())) {
    chunk.assign(static_cast<size_t>(std::min<int64_t>(left, 1 << 16)), centre);
    if (width > 0)
      for (float& value : chunk)
        value = width * (static_cast<float>(next_random(state) >> 40) * 0x1p-23f - 1.0f);
    out.write(reinterpret_cast<const char*>(chunk.data()),
              static_cast<std::streamsize>(chunk.size() * sizeof(float)));
  }
}

}  // namespace

void write_random_weights(const ModelConfig& config, const std::string& path, uint64_t seed) {
  static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");
  std::vector<TensorSpec> specs = model_tensors(config);
  std::erase_if(specs, [](const TensorSpec& spec) { return spec.optional; });
  nlohmann::ordered_json header;
  int64_t offset = 0;
  for (const TensorSpec& spec : specs) {
    const int64_t end = offset + count_of(spec) * int64_t{sizeof(float)};
    header[spec.name] = {{"dtype", "F32"}, {"shape", spec.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data stays aligned
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.stream().write(reinterpret_cast<const char*>(&length), sizeof length);
  file.stream() << text;
  for (const TensorSpec& spec : specs) {
    write_values(file.stream(), spec, seed);
    file.check();
  }
  file.commit();
}

TemporaryWeights::TemporaryWeights(const ModelConfig& config) {
  std::string folder = (std::filesystem::temp_directory_path() / "openclip-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr)
    throw IoError(fmt::format("{}: cannot make a temporary folder", folder));
  folder_ = folder;
  path_ = folder + "/random.safetensors";
  try {
    write_random_weights(config, path_, /*seed=*/0);
  } catch (...) {
    std::error_code none;
    std::filesystem::remove_all(folder_, none);  // no destructor runs for a failed constructor
    throw;
  }
}

TemporaryWeights::~TemporaryWeights() {
  std::error_code none;
  std::filesystem::remove_all(folder_, none);
}

}  // namespace openclip
