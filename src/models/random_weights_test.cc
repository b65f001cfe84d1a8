#include "models/random_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "io/safetensors.h"
#include "models/config/tensor_table.h"
#include "models/registry.h"

namespace openclip {
namespace {

TEST(RandomWeightsTest, HoldsEveryTensorAtItsScale) {
  ModelConfig config = registry_config("ViT-S-32");
  config.text.vocab_size = 512;
  config.vision.layers = config.text.layers = 1;
  std::string path;
  {
    const TemporaryWeights weights(config);
    path = weights.path();
    const SafetensorsFile file = SafetensorsFile::open(path);
    for (const TensorSpec& spec : model_tensors(config))
      EXPECT_EQ(file.tensor(spec.name).shape, spec.shape) << spec.name;
    const TensorView& view = file.tensor("token_embedding.weight");
    std::vector<float> values(view.bytes.size() / sizeof(float));
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    double sum = 0, squares = 0;
    for (const float x : values) sum += x, squares += double(x) * x;
    EXPECT_NEAR(sum / double(values.size()), 0, 1e-3);
    EXPECT_NEAR(std::sqrt(squares / double(values.size())), 0.02, 2e-4);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace openclip
