#include "tasks/labels.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

using testing::ElementsAre;

class LabelsTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, std::string_view text) {
    write_file_atomic(folder_ + "/" + name, text);
    return folder_ + "/" + name;
  }
  std::string folder_ = testing::TempDir() + "/openclip_labels";
};

TEST_F(LabelsTest, SplitsAtCommas) {
  EXPECT_THAT(split_labels("a, red car ,猫"), ElementsAre("a", "red car", "猫"));
  for (const char* bad : {"", " ", "a,", ",a", "a,,b", "a,b,a"})
    EXPECT_THROW(split_labels(bad), InvalidArgument) << bad;
}

TEST_F(LabelsTest, ReadsLinesOfEveryKind) {
  EXPECT_THAT(read_lines(file("l",
                              "\xEF\xBB\xBF"
                              "a\r\n\nb")),
              ElementsAre("a", "", "b"));
  EXPECT_THAT(read_lines(file("l", "a\n\n")), ElementsAre("a", ""));
  EXPECT_TRUE(read_lines(file("l", "")).empty());
  EXPECT_THAT(read_labels(file("l", " a \n\t\n b b\n")), ElementsAre("a", "b b"));
  EXPECT_THROW(read_labels(file("l", " \n")), InvalidArgument);
  EXPECT_THROW(read_labels(file("l", "a\na\n")), InvalidArgument);
  EXPECT_THROW(read_labels(folder_ + "/absent"), NotFound);
}

TEST_F(LabelsTest, FindsAModelsLabels) {
  EXPECT_THROW(model_labels(folder_, ""), NotFound);
  file("labels.en.txt", "cat\n");
  file("labels.zh.txt", "猫\n");
  EXPECT_THAT(model_labels(folder_, ""), ElementsAre("cat"));
  EXPECT_THAT(model_labels(folder_, "zh"), ElementsAre("猫"));
  EXPECT_THAT([&] { model_labels(folder_, "de"); },
              testing::ThrowsMessage<NotFound>(testing::HasSubstr("it has en, zh")));
  EXPECT_THROW(model_labels(folder_, "/../labels.en"), NotFound);
  file("labels.txt", "first\n");
  EXPECT_THAT(model_labels(folder_, ""), ElementsAre("first"));
  EXPECT_THROW(model_labels("", ""), NotFound);
}

}  // namespace
}  // namespace openclip
