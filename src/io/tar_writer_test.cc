#include "io/tar_writer.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/tar.h"

namespace openclip {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string write(const std::string& path) {
  TarWriter tar(path);
  tar.add("a/one.txt", bytes_of("1"));
  tar.add(std::string(300, 'x') + "猫.txt", bytes_of(""));
  tar.finish();
  return read_text_file(path, 1 << 20);
}

TEST(TarWriterTest, WhatIsWrittenIsRead) {
  const std::string path = testing::TempDir() + "/written.tar";
  EXPECT_EQ(write(path), write(path));  // no clock in it
  TarReader tar(path);
  auto one = tar.next();
  EXPECT_EQ(one->name, "a/one.txt");
  EXPECT_EQ(one->bytes, std::vector<uint8_t>{'1'});
  EXPECT_EQ(tar.next()->name, std::string(300, 'x') + "猫.txt");
  EXPECT_FALSE(tar.next());
  std::filesystem::remove(path);
}

TEST(TarWriterTest, AppearsWhenItIsWhole) {
  const std::string path = testing::TempDir() + "/unfinished.tar";
  {
    TarWriter tar(path);
    tar.add("a", bytes_of("1"));
    EXPECT_THROW(tar.add("../a", {}), InvalidArgument);
    EXPECT_THROW(tar.add("/a", {}), InvalidArgument);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THROW(TarWriter("/no/such/folder/x.tar"), IoError);
}

}  // namespace
}  // namespace openclip
