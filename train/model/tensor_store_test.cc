#include "model/tensor_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "testing/golden.h"

namespace openclip::train {
namespace {

class InitStatistics : public testing::TestWithParam<const char*> {};

// Means and deviations of fresh weights over 24 seeds, both sides measured.
TEST_P(InitStatistics, MatchOpenClip) {
  const Json golden = read_json_file(golden_path(std::string("init_") + GetParam()));
  const ModelConfig config = golden_config(golden, GetParam());
  std::map<std::string, std::vector<at::Tensor>> parts;
  const int seeds = golden.at("seeds");
  for (int seed = 0; seed < seeds; ++seed) {
    const TensorStore store = TensorStore::create(model_tensors(config), seed);
    for (const NamedParameter& entry : store.entries())
      if (entry.trainable) parts[entry.name].push_back(entry.tensor.detach().flatten());
  }
  EXPECT_EQ(parts.size(), golden.at("tensors").size());
  for (const auto& [name, expected] : golden.at("tensors").items()) {
    ASSERT_TRUE(parts.count(name)) << name;
    const at::Tensor values = at::cat(parts[name]).to(at::kDouble);
    const double count = static_cast<double>(values.numel());
    const double deviation = expected.at(1).get<double>();
    // Six standard errors of the difference of two samples.
    const double error = 6 * deviation * std::sqrt(2 / count) + 1e-7;
    EXPECT_NEAR(values.mean().item<double>(), expected.at(0).get<double>(), error) << name;
    EXPECT_NEAR(values.std(false).item<double>(), deviation, error) << name;
    // Tells uniform from normal: the largest of many differs much between the two.
    const double largest = expected.at(2).get<double>();
    EXPECT_NEAR(values.abs().max().item<double>(), largest, 0.25 * largest + 1e-7) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(TinyModels, InitStatistics,
                         testing::Values("vit", "vit_quickgelu_avg", "resnet"),
                         [](const auto& info) { return std::string(info.param); });

TensorStore tiny(uint64_t seed) {
  const Json golden = read_json_file(golden_path("init_resnet"));
  return TensorStore::create(model_tensors(golden_config(golden, "resnet")), seed);
}

TEST(TensorStoreTest, SameSeedSameWeights) {
  const TensorStore a = tiny(3), b = tiny(3), c = tiny(4);
  bool differs = false;
  for (size_t i = 0; i < a.entries().size(); ++i) {
    EXPECT_TRUE(a.entries()[i].tensor.equal(b.entries()[i].tensor)) << a.entries()[i].name;
    differs |= !a.entries()[i].tensor.equal(c.entries()[i].tensor);
  }
  EXPECT_TRUE(differs);
}

TEST(TensorStoreTest, FileRoundTripIsExact) {
  const std::string path = testing::TempDir() + "/weights.safetensors";
  const TensorStore a = tiny(1);
  save_weights(a, path);
  TensorStore b = tiny(2);
  load_weights(b, path);
  for (size_t i = 0; i < a.entries().size(); ++i)
    EXPECT_TRUE(a.entries()[i].tensor.equal(b.entries()[i].tensor)) << a.entries()[i].name;
  EXPECT_TRUE(b.get("visual.conv1.weight").is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(TensorStoreTest, LoadNamesEveryMisfit) {
  const std::string path = testing::TempDir() + "/misfit.safetensors";
  save_weights(tiny(1), path);
  const Json golden = read_json_file(golden_path("init_vit"));
  TensorStore other = TensorStore::create(model_tensors(golden_config(golden, "vit")), 0);
  try {
    load_weights(other, path);
    FAIL();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("missing: visual.class_embedding"), std::string::npos) << text;
    EXPECT_NE(text.find("unexpected: visual."), std::string::npos) << text;
    EXPECT_NE(text.find("other shape: visual.conv1.weight"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace openclip::train
