#include "index/vector_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "index/test_util.h"

namespace openclip {
namespace {

class VectorFileTest : public testing::TestWithParam<DType> {};

TEST_P(VectorFileTest, ReadsWhatWasAppended) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/v.ocv";
  constexpr int64_t kDim = 37;
  VectorAppender::create(path, {GetParam(), kDim});
  const std::vector<float> vectors = unit_rows(600, kDim, 1);
  std::vector<int64_t> ids(600);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(1000 + 3 * i);
  uint64_t done = 0;
  for (const uint64_t end : {1, 250, 300, 512, 600}) {  // within, up to and across blocks
    VectorAppender out(path, done);
    EXPECT_EQ(out.append(std::span(vectors).subspan(done * kDim, (end - done) * kDim),
                         std::span(ids).subspan(done, end - done)),
              done);
    out.flush();
    done = end;
  }
  const VectorFile file(path, done);
  EXPECT_EQ(file.format().dtype, GetParam());
  EXPECT_EQ(file.format().dim, kDim);
  std::vector<float> row(kDim);
  // Half a step: 2^-12 of a number up to 1 in f16, of largest / 127 in i8.
  const double tolerance = GetParam() == DType::f32   ? 0
                           : GetParam() == DType::f16 ? 0x1p-12
                                                      : 0.5 / 127 + 1e-6;
  for (uint64_t slot = 0; slot < done; ++slot) {
    ASSERT_EQ(file.id(slot), ids[slot]);
    ASSERT_TRUE(file.intact(slot));
    file.read(slot, row);
    for (size_t j = 0; j < row.size(); ++j)
      ASSERT_NEAR(row[j], vectors[slot * kDim + j], tolerance) << slot << " " << j;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, VectorFileTest, testing::Values(DType::f32, DType::f16, DType::i8));

TEST(VectorFileTest, LeftoversOfAKilledWriterAreOverwritten) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/v.ocv";
  VectorAppender::create(path, {DType::f32, 8});
  const std::vector<float> first = unit_rows(300, 8, 1), second = unit_rows(300, 8, 2);
  std::vector<int64_t> ids(300, 7);
  VectorAppender(path, 0).append(first, ids);
  VectorAppender(path, 100).append(second, ids);  // only 100 were committed
  const VectorFile file(path, 400);
  std::vector<float> row(8);
  file.read(100, row);
  EXPECT_EQ(row, std::vector<float>(second.begin(), second.begin() + 8));
  for (uint64_t slot = 0; slot < 400; ++slot) EXPECT_TRUE(file.intact(slot));
}

TEST(VectorFileTest, AnyFlippedByteOfASlotIsFound) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/v.ocv";
  const VectorFormat format{DType::i8, 5};
  VectorAppender::create(path, format);
  const std::vector<int64_t> ids{42};
  VectorAppender(path, 0).append(unit_rows(1, 5, 3), ids);
  const size_t scales = 4096 + 256 * 5, in_ids = scales + 256 * 4, sums = in_ids + 256 * 8;
  for (const size_t at : {size_t{4096}, size_t{4100}, scales + 2, in_ids, sums + 7}) {
    flip_byte(path, at);
    EXPECT_FALSE(VectorFile(path, 1).intact(0)) << at;
    flip_byte(path, at);
    EXPECT_TRUE(VectorFile(path, 1).intact(0)) << at;
  }
}

TEST(VectorFileTest, RefusesDamagedHeadersAndShortFiles) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/v.ocv";
  VectorAppender::create(path, {DType::f32, 4});
  for (const size_t at : {0, 8, 12, 17, 25, 100, 4095}) {
    flip_byte(path, at);
    EXPECT_THROW(VectorFile(path, 0), ParseError) << at;
    flip_byte(path, at);
  }
  EXPECT_THROW(VectorFile(path, 1), ParseError);  // no block is there
  EXPECT_NO_THROW(VectorFile(path, 0));
  std::filesystem::resize_file(path, 100);
  EXPECT_THROW(VectorFile(path, 0), ParseError);
  EXPECT_THROW(VectorAppender::create(path, {DType::f64, 4}), InvalidArgument);
  EXPECT_THROW(VectorAppender::create(path, {DType::f32, 0}), InvalidArgument);
}

}  // namespace
}  // namespace openclip
