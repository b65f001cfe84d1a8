#include "base/file_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"

namespace openclip {
namespace {

class FileLockTest : public testing::Test {
 protected:
  ~FileLockTest() override { std::filesystem::remove_all(folder_); }

  const std::string folder_ = testing::TempDir() + "file_lock" + std::to_string(::getpid());
  const std::string path_ = folder_ + "/lock";
  const bool made_ = std::filesystem::create_directories(folder_);
};

TEST_F(FileLockTest, OneHolderAtATime) {
  std::optional<FileLock> first = FileLock::try_lock(path_);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->held());
  EXPECT_FALSE(FileLock::try_lock(path_));
  first.reset();
  EXPECT_TRUE(FileLock::try_lock(path_));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(FileLockTest, MovesWithItsOwner) {
  std::optional<FileLock> first = FileLock::try_lock(path_);
  ASSERT_TRUE(first);
  {
    const FileLock second = std::move(*first);
    EXPECT_FALSE(FileLock::try_lock(path_));
  }
  EXPECT_TRUE(FileLock::try_lock(path_));
}

TEST_F(FileLockTest, AFileThatWasRemovedKeepsNobodyOut) {
  const std::optional<FileLock> first = FileLock::try_lock(path_);
  ASSERT_TRUE(first);
  std::filesystem::remove(path_);
  const std::optional<FileLock> second = FileLock::try_lock(path_);
  ASSERT_TRUE(second);
  EXPECT_FALSE(FileLock::try_lock(path_));
}

TEST_F(FileLockTest, NoFolderAndLinksAreToldWithThePath) {
  for (const std::string& path : {folder_ + "/none/lock", folder_ + "/link"}) {
    std::error_code ec;
    std::filesystem::create_symlink(path_, folder_ + "/link", ec);
    try {
      FileLock::try_lock(path);
      ADD_FAILURE() << path;
    } catch (const IoError& error) {
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace openclip
