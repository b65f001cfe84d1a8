#include "models/weights_search.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

TEST(WeightsSearchTest, PrefersOpenClipsNamesAndReadableFormats) {
  const std::string folder = testing::TempDir() + "/openclip_weights";
  std::filesystem::create_directories(folder);
  EXPECT_THAT(find_weights_in_folder(folder).problem, testing::HasSubstr(folder));
  // Each is better than all before it.
  for (const char* name :
       {"b.pt", "a.pt", "z.safetensors", "b.safetensors", "model.pth",
        "pytorch_model.bin.index.json", "pytorch_model.bin", "model.safetensors.index.json",
        "model.safetensors", "open_clip_pytorch_model.bin", "open_clip_pytorch_model.safetensors",
        "open_clip_model.safetensors"}) {
    write_file_atomic(folder + "/" + name, "");
    EXPECT_EQ(find_weights_in_folder(folder).path, folder + "/" + name);
  }
  std::filesystem::remove_all(folder);
}

PretrainedTag tag_with_file(const std::string& hub_file) {
  PretrainedTag tag;
  tag.hub_file = hub_file;
  return tag;
}

TEST(WeightsSearchTest, FilesOfATag) {
  EXPECT_THAT(tag_weights_files({}),
              testing::ElementsAre("open_clip_model.safetensors", "open_clip_pytorch_model.bin"));
  EXPECT_THAT(tag_weights_files(tag_with_file("model.bin")),
              testing::ElementsAre("model.safetensors", "model.bin"));
  EXPECT_THAT(tag_weights_files(tag_with_file("w.safetensors")),
              testing::ElementsAre("w.safetensors"));
}

}  // namespace
}  // namespace openclip
