#include "models/fetch.h"

#include <gmock/gmock.h>

namespace openclip {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FetchTest, ChoosesConfigTokenizerAndTheBestWeights) {
  const ModelFiles files = choose_model_files(
      {"README.md", "model.safetensors", "open_clip_config.json", "open_clip_model.safetensors",
       "open_clip_pytorch_model.bin", "tokenizer.json", "merges.txt", "onnx/model.onnx"});
  EXPECT_THAT(files.config_and_tokenizer,
              ElementsAre("open_clip_config.json", "tokenizer.json", "merges.txt"));
  EXPECT_THAT(files.weights, ElementsAre("open_clip_model.safetensors"));
}

TEST(FetchTest, ShardsComeWithTheirIndex) {
  const ModelFiles files =
      choose_model_files({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                          "model.safetensors.index.json", "other-00001-of-00002.safetensors"});
  EXPECT_THAT(files.weights,
              ElementsAre("model.safetensors.index.json", "model-00001-of-00002.safetensors",
                          "model-00002-of-00002.safetensors"));
}

TEST(FetchTest, TakesPyTorchFilesLastAndNothingIfThereIsNothing) {
  EXPECT_THAT(choose_model_files({"a.pt", "open_clip_pytorch_model.bin"}).weights,
              ElementsAre("open_clip_pytorch_model.bin"));
  EXPECT_THAT(choose_model_files({"README.md"}).weights, IsEmpty());
}

}  // namespace
}  // namespace openclip
