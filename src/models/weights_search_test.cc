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
  for (const char* name : {"a.pt", "open_clip_pytorch_model.bin", "z.safetensors", "b.safetensors",
                           "model.safetensors", "open_clip_pytorch_model.safetensors",
                           "open_clip_model.safetensors"}) {
    write_file_atomic(folder + "/" + name, "");
    const std::string expected =
        std::string(name) == "open_clip_pytorch_model.bin" ? "a.pt" : name;  // both unreadable
    EXPECT_EQ(find_weights_in_folder(folder).path, folder + "/" + expected);
  }
  std::filesystem::remove_all(folder);
}

TEST(WeightsSearchTest, PickledFilesAreRefused) {
  for (const char* name : {"w.pt", "w.pth", "open_clip_pytorch_model.bin"})
    EXPECT_THROW(check_weights_format(name), Unsupported) << name;
  EXPECT_NO_THROW(check_weights_format("w.safetensors"));
}

}  // namespace
}  // namespace openclip
