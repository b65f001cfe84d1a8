#include "tasks/image_source.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class ImageSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"b/2.png", "b/1.JPG", "a.webp", "notes.txt"}) {
      fs::create_directories((root_ / name).parent_path());
      write_file_atomic((root_ / name).string(), name);
    }
  }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_ = fs::path(testing::TempDir()) / "openclip_images";
};

TEST_F(ImageSourceTest, ListsFoldersInOrderAndFilesAsTheyAre) {
  ImageSource source({(root_ / "notes.txt").string(), root_.string()});
  std::vector<std::string> names;
  while (auto ref = source.next()) {
    EXPECT_EQ(ref->problem, "");
    names.push_back(fs::relative(ref->name, root_).string());
    EXPECT_EQ(load_image_bytes(*ref).size(), names.back().size());
  }
  EXPECT_THAT(names, ElementsAre("notes.txt", "a.webp", "b/1.JPG", "b/2.png"));
}

TEST_F(ImageSourceTest, ProblemsKeepTheirPlace) {
  write_file_atomic((root_ / "bad.tar").string(), "no archive at all");
  fs::create_directories(root_ / "empty");
  ImageSource source({(root_ / "bad.tar").string(), (root_ / "empty").string(),
                      (root_ / "absent.png").string(), (root_ / "a.webp").string()});
  EXPECT_NE(source.next()->problem, "");
  EXPECT_NE(source.next()->problem, "");
  auto absent = source.next();  // listed as it is; reading it says what is wrong
  EXPECT_EQ(absent->problem, "");
  EXPECT_THROW(load_image_bytes(*absent), NotFound);
  EXPECT_EQ(source.next()->problem, "");
  EXPECT_FALSE(source.next());
  EXPECT_FALSE(source.next());
}

TEST_F(ImageSourceTest, KnowsPictureNames) {
  for (const char* name : {"a.jpg", "A.JPEG", "x.tar/y.png", ".gif", "b.bmp", "c.webp"})
    EXPECT_TRUE(has_image_extension(name)) << name;
  for (const char* name : {"", "jpg", "a.txt", "a.jpg.txt", "a.json"})
    EXPECT_FALSE(has_image_extension(name)) << name;
}

}  // namespace
}  // namespace openclip
