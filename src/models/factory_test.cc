#include "models/factory.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.h"
#include "io/safetensors.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class FactoryTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  // A weights file of one tensor.
  std::string weights(const std::string& tensor) {
    const std::vector<uint8_t> zero(8, 0);
    write_safetensors(folder_ + "/w.safetensors", {{tensor, {DType::i64, {}, zero}}});
    return folder_ + "/w.safetensors";
  }
  ModelSource find(const std::string& pretrained) { return find_model({"ViT-B-32", pretrained}); }

  std::string folder_ = testing::TempDir() + "/openclip_factory";
};

TEST_F(FactoryTest, OpenAisFilesSwitchQuickGeluOn) {
  EXPECT_EQ(find(weights("visual.proj")).config.vision.activation, Activation::gelu);
  const ModelSource source = find(weights("input_resolution"));
  EXPECT_EQ(source.config.vision.activation, Activation::quick_gelu);
  EXPECT_EQ(source.config.text.activation, Activation::quick_gelu);
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("QuickGELU")));
  // What is no checkpoint is an error when it is loaded.
  write_file_atomic(folder_ + "/junk.pt", "junk");
  EXPECT_EQ(find(folder_ + "/junk.pt").weights, folder_ + "/junk.pt");
}

TEST_F(FactoryTest, AConfigBesideTheWeightsIsUsed) {
  const std::string path = weights("visual.proj");
  write_file_atomic(folder_ + "/config.json", R"({"model_type": "bert"})");
  EXPECT_TRUE(find(path).notes.empty());
  write_file_atomic(folder_ + "/config.json", R"({"model_type": "clip"})");
  write_file_atomic(folder_ + "/preprocessor_config.json", R"({"image_mean": [0.5, 0.25, 0.125]})");
  const ModelSource source = find(path);
  EXPECT_EQ(source.config.vision.activation, Activation::quick_gelu);  // transformers' default
  EXPECT_THAT(source.config.preprocess.mean, ElementsAre(0.5f, 0.25f, 0.125f));
  EXPECT_THAT(source.notes, ElementsAre(HasSubstr("config.json")));
}

}  // namespace
}  // namespace openclip
