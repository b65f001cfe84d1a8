#include "base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/mapped_file.h"

namespace openclip {
namespace {

std::string temp_path(const char* name) {
  return testing::TempDir() + name + std::to_string(::getpid());
}

TEST(FileTest, WritesAndReadsBack) {
  const std::string path = temp_path("roundtrip");
  write_file_atomic(path, "abc");
  EXPECT_EQ(read_text_file(path, 3), "abc");
  EXPECT_EQ(MappedFile(path).bytes().size(), 3u);
  EXPECT_THROW(read_file(path, 2), IoError);
  std::filesystem::remove(path);
}

TEST(FileTest, FailedFillLeavesTheOldContent) {
  const std::string path = temp_path("keep");
  write_file_atomic(path, "old");
  EXPECT_THROW(write_file_atomic(path, [](std::ostream& out) {
                 out << "new";
                 throw InvalidArgument("half way");
               }),
               InvalidArgument);
  EXPECT_EQ(read_text_file(path, 10), "old");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp" + std::to_string(::getpid())));
  std::filesystem::remove(path);
}

TEST(FileTest, NamesWhatIsWrong) {
  EXPECT_THROW(read_file("/nonexistent/file", 1), NotFound);
  EXPECT_THROW(read_file("/tmp", 1), IoError);
  EXPECT_THROW(MappedFile("/nonexistent/file"), NotFound);
  EXPECT_THROW(MappedFile("/tmp"), IoError);
  EXPECT_THROW(write_file_atomic("/nonexistent/dir/file", "x"), IoError);
  EXPECT_THROW(write_file_atomic("/dev/full", std::string(100000, 'x')), IoError);
}

}  // namespace
}  // namespace openclip
