#include "io/digest.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"
#include "io/http/errors.h"

namespace openclip {
namespace {

std::string file_of(const std::string& bytes) {
  std::string path = testing::TempDir() + "/openclip_digest";
  write_file_atomic(path, bytes);
  return path;
}

// FIPS 180-2's examples, and what `git hash-object` prints.
TEST(DigestTest, KnownValues) {
  EXPECT_EQ(file_sha256(file_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(bytes_sha256(std::vector<uint8_t>{'a', 'b', 'c'}), file_sha256(file_of("abc")));
  EXPECT_EQ(file_sha256(file_of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(file_git_sha1(file_of("")), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(file_git_sha1(file_of("hello world\n")), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
}

TEST(DigestTest, PiecesJoinAndTicksMayStop) {
  const std::string path = file_of(std::string(size_t{20} << 20, 'a'));
  int ticks = 0;
  const std::string whole = file_sha256(path, [&] { ++ticks; });
  EXPECT_EQ(ticks, 3);
  EXPECT_EQ(whole, file_sha256(path));
  EXPECT_THROW(file_sha256(path, [] { throw Cancelled("stop"); }), Cancelled);
  EXPECT_THROW(file_sha256(path + ".absent"), NotFound);
}

}  // namespace
}  // namespace openclip
