// Checkpoints of random numbers, for measuring and testing without a trained one. Rank 4.
#pragma once

#include <cstdint>
#include <string>

#include "models/config/model_config.h"

namespace openclip {

/// Writes a safetensors file with every tensor of `config` at a scale that a training would start
/// from; the same seed gives the same file everywhere. Streams, so memory stays small.
/// Throws: IoError.
void write_random_weights(const ModelConfig& config, const std::string& path, uint64_t seed);

/// A checkpoint of random numbers in the temporary folder, removed by the destructor.
class TemporaryWeights {
 public:
  explicit TemporaryWeights(const ModelConfig& config);
  TemporaryWeights(const TemporaryWeights&) = delete;
  TemporaryWeights& operator=(const TemporaryWeights&) = delete;
  ~TemporaryWeights();
  const std::string& path() const { return path_; }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace openclip
