#include "tasks/label_vectors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace openclip {
namespace {

class LabelVectorsTest : public testing::Test {
 protected:
  LabelVectorsTest()
      : folder_(testing::TempDir() + "label_vectors" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
    ::setenv("OPENCLIP_CACHE", (folder_ + "/cache").c_str(), 1);
    source_.weights = folder_ + "/weights";
    source_.config.embed_dim = 2;
    write_file_atomic(source_.weights, "some weights");
  }
  ~LabelVectorsTest() override {
    ::unsetenv("OPENCLIP_CACHE");
    std::filesystem::remove_all(folder_);
  }

  std::string key(const std::vector<std::string>& labels) const {
    return label_vectors_key(source_, labels, {"{}"});
  }

  std::string folder_;
  ModelSource source_;
};

TEST_F(LabelVectorsTest, FindsWhatWasKept) {
  EXPECT_FALSE(find_label_vectors(source_, key({"a", "b"}), 2));
  keep_label_vectors(source_, key({"a", "b"}), {1, 2, 3, 4});
  EXPECT_EQ(find_label_vectors(source_, key({"a", "b"}), 2), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(LabelVectorsTest, AnyChangeIsAnotherKey) {
  const std::string before = key({"ab", "c"});
  EXPECT_NE(before, key({"a", "bc"}));
  EXPECT_NE(before, label_vectors_key(source_, {"ab", "c"}, {"a {}"}));
  write_file_atomic(source_.weights, "other weights");
  EXPECT_NE(before, key({"ab", "c"}));
}

TEST_F(LabelVectorsTest, DamagedFilesCountAsAbsent) {
  keep_label_vectors(source_, key({"a", "b"}), {1, 2, 3, 4});
  EXPECT_FALSE(find_label_vectors(source_, key({"a", "b"}), 3));
  write_file_atomic(folder_ + "/cache/label_vectors/" + key({"a", "b"}) + ".safetensors", "junk");
  EXPECT_FALSE(find_label_vectors(source_, key({"a", "b"}), 2));
}

TEST_F(LabelVectorsTest, CacheThatCannotBeWrittenIsNoError) {
  ::setenv("OPENCLIP_CACHE", "/proc/nowhere", 1);
  keep_label_vectors(source_, key({"a", "b"}), {1, 2, 3, 4});
  EXPECT_FALSE(find_label_vectors(source_, key({"a", "b"}), 2));
}

}  // namespace
}  // namespace openclip
