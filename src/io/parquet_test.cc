// Files of pyarrow's are read in tests/e2e/parquet_test.py.
#include "io/parquet.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/json.h"

namespace openclip {
namespace {

class ParquetTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/proc/self/exe") ||
        !std::filesystem::exists(std::filesystem::read_symlink("/proc/self/exe").parent_path() /
                                 "openclip_parquet.so"))
      GTEST_SKIP() << "openclip_parquet.so was not built";
  }
  static std::string path(const char* name) { return testing::TempDir() + "/openclip_" + std::string(name); }
};

TEST_F(ParquetTest, WhatWasWrittenIsRead) {
  std::string lines;
  std::vector<Json> rows;
  for (int i = 0; i < 5000; ++i) {  // more than a batch
    rows.push_back({{"n", i}, {"x", i * 0.5}, {"s", fmt::format("t{}", i)}, {"b", i % 2 == 0}});
    rows.back()["list"] = i % 3 == 0 ? Json::array() : Json::array({"a", "b"});
    lines += rows.back().dump() + "\n";
  }
  write_file_atomic(path("t.jsonl"), lines);
  write_parquet(path("t.jsonl"), path("t.parquet"));
  EXPECT_FALSE(std::filesystem::exists(path("t.parquet.part")));
  ParquetReader reader(path("t.parquet"));
  EXPECT_EQ(reader.rows(), 5000);
  for (const Json& row : rows) {
    const auto line = reader.next();
    ASSERT_TRUE(line);
    EXPECT_EQ(Json::parse(*line), row);
  }
  EXPECT_FALSE(reader.next());
}

TEST_F(ParquetTest, RefusesWhatIsNone) {
  write_file_atomic(path("none.parquet"), "no table");
  EXPECT_THROW(ParquetReader(path("none.parquet")), ParseError);
  EXPECT_THROW(ParquetReader(path("missing.parquet")), ParseError);
  write_file_atomic(path("bad.jsonl"), "{\"a\": 1}\n{\"a\": [}\n");
  EXPECT_THROW(write_parquet(path("bad.jsonl"), path("bad.parquet")), IoError);
  EXPECT_FALSE(std::filesystem::exists(path("bad.parquet")));
  EXPECT_FALSE(std::filesystem::exists(path("bad.parquet.part")));
}

}  // namespace
}  // namespace openclip
