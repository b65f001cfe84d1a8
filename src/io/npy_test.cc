#include "io/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

std::string npy_scratch(const std::string& name) {
  const auto dir = std::filesystem::path(testing::TempDir()) / "openclip_npy_test";
  std::filesystem::create_directories(dir);
  return (dir / name).string();
}

std::vector<uint8_t> npy(const std::string& dict, size_t data_bytes, int version = 1) {
  std::string file("\x93NUMPY", 6);
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    file += static_cast<char>(dict.size() >> (8 * i));
  file += dict + std::string(data_bytes, '\0');
  return {file.begin(), file.end()};
}

TEST(NpyTest, WritesWhatNumpyWrites) {
  write_npy(npy_scratch("a.npy"), {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::string text = read_text_file(npy_scratch("a.npy"), 1 << 20);
  EXPECT_EQ(text.size(), 128u + 24);
  EXPECT_EQ(text.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(text.substr(10, 60).find("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"),
            0u);
  EXPECT_EQ(text[127], '\n');
  const auto file = NpyFile::open(npy_scratch("a.npy"));
  EXPECT_THAT(file.shape(), testing::ElementsAre(2, 3));
  EXPECT_THAT(file.to_floats(), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  float part[2];
  file.read_floats(3, part);
  EXPECT_EQ(part[0], 4);
  EXPECT_THROW(file.read_floats(5, part), InvalidArgument);
}

TEST(NpyTest, EveryRankRoundTrips) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{}, {1}, {0}, {3, 0, 2}, {1, 1, 1, 1}}) {
    int64_t count = 1;
    for (const int64_t dim : shape) count *= dim;
    const std::vector<int64_t> values(static_cast<size_t>(count), -5);
    write_npy(npy_scratch("r.npy"), shape, values);
    const auto file = NpyFile::open(npy_scratch("r.npy"));
    EXPECT_EQ(file.shape(), shape);
    EXPECT_EQ(file.dtype(), DType::i64);
    EXPECT_EQ(file.bytes().size(), values.size() * 8);
    EXPECT_THROW(file.to_floats(), Unsupported);
  }
  EXPECT_THROW(write_npy(npy_scratch("r.npy"), {2}, std::vector<float>{1}), InvalidArgument);
}

TEST(NpyTest, AppendsRowsAndAppearsAtFinish) {
  const std::string path = npy_scratch("rows.npy");
  std::filesystem::remove(path);
  {
    NpyWriter writer(path, DType::f32, {2});
    writer.append(std::vector<float>{1, 2, 3, 4});
    writer.append(std::vector<float>{});
    writer.append(std::vector<float>{5, 6});
    EXPECT_THROW(writer.append(std::vector<float>{5}), InvalidArgument);
    EXPECT_THROW(writer.append(std::vector<int64_t>{5, 6}), InvalidArgument);
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_EQ(writer.rows(), 3);
    writer.finish();
  }
  const auto file = NpyFile::open(path);
  EXPECT_THAT(file.shape(), testing::ElementsAre(3, 2));
  EXPECT_THAT(file.to_floats(), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  { NpyWriter(npy_scratch("gone.npy"), DType::i64, {4}); }
  EXPECT_FALSE(std::filesystem::exists(npy_scratch("gone.npy")));
}

TEST(NpyTest, ReadsForeignHeaders) {
  const auto parsed =
      parse_npy("f", npy(R"({"shape":(2,),"fortran_order":True,"descr":"<f8"} )", 16));
  EXPECT_EQ(parsed.dtype, DType::f64);
  EXPECT_EQ(parsed.data_bytes, 16u);
  EXPECT_EQ(
      parse_npy("f", npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", 1, 2)).dtype,
      DType::boolean);
  parse_npy("f", npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2L, 3L)}", 12, 3));
}

TEST(NpyTest, RejectsMalformedFiles) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  parse_npy("f", npy(good, 8));
  EXPECT_THROW(parse_npy("f", npy(good, 7)), ParseError);
  EXPECT_THROW(parse_npy("f", npy(good, 8, 4)), ParseError);
  for (const char* dict : {
           "",
           "{",
           "{}",
           "{'descr': '<f4'}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
           "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,",
           "{'descr': '<f4",
       })
    EXPECT_THROW(parse_npy("f", npy(dict, 8)), ParseError) << dict;
  for (const char* dict : {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
                           "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
                           "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }"})
    EXPECT_THROW(parse_npy("f", npy(dict, 8)), Unsupported) << dict;
  auto cut = npy(good, 8);
  for (size_t size = 0; size < cut.size(); ++size)
    EXPECT_THROW(parse_npy("f", std::span(cut).first(size)), ParseError) << size;
}

}  // namespace
}  // namespace openclip
