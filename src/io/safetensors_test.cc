#include "io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"

namespace openclip {
namespace {

std::string scratch(const std::string& name) {
  const auto dir = std::filesystem::path(testing::TempDir()) / "openclip_safetensors_test";
  std::filesystem::create_directories(dir);
  return (dir / name).string();
}

std::vector<uint8_t> file_of(const std::string& header, size_t data_bytes) {
  std::vector<uint8_t> file(8 + header.size() + data_bytes);
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<uint8_t>(header.size() >> (8 * i));
  std::memcpy(file.data() + 8, header.data(), header.size());
  return file;
}

std::string problem(const std::string& header, size_t data_bytes) {
  try {
    parse_safetensors("f", file_of(header, data_bytes));
  } catch (const ParseError& error) {
    return error.what();
  }
  return "";
}

template <class T>
TensorView view_of(DType dtype, std::vector<int64_t> shape, const std::vector<T>& values) {
  return {dtype,
          std::move(shape),
          {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)}};
}

TEST(SafetensorsTest, WritesAndReadsBack) {
  const std::vector<float> weights = {1.f, -2.f, 0.5f, 3e-8f, 1e6f, -0.f};
  const std::vector<int8_t> small = {1, -2, 3};
  const std::string path = scratch("round.safetensors");
  write_safetensors(path,
                    {{"small", view_of(DType::i8, {3}, small)},
                     {"b.weight", view_of(DType::f32, {2, 3}, weights)},
                     {"half", view_of(DType::f32, {6}, weights), DType::f16},
                     {"scalar", view_of(DType::f32, {}, std::vector<float>{7.f})},
                     {"empty", view_of(DType::f32, {0, 4}, std::vector<float>{})}},
                    {{"format", "pt"}});
  const auto file = SafetensorsFile::open(path);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.tensors().size(), 5u);
  const TensorView& weight = file.tensor("b.weight");
  EXPECT_THAT(weight.shape, testing::ElementsAre(2, 3));
  EXPECT_EQ(std::memcmp(weight.bytes.data(), weights.data(), 24), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weight.bytes.data()) % 4, 0u);
  EXPECT_EQ(file.tensor("half").dtype, DType::f16);
  uint16_t half[6];
  std::memcpy(half, file.tensor("half").bytes.data(), sizeof half);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(half[i], f32_to_f16(weights[static_cast<size_t>(i)]));
  EXPECT_TRUE(file.tensor("empty").bytes.empty());
  EXPECT_THROW(file.tensor("absent"), NotFound);
}

TEST(SafetensorsTest, SameTensorsGiveSameBytes) {
  const std::vector<float> values(5, 1.f);
  const NamedTensor a{"a", view_of(DType::f32, {5}, values)};
  const NamedTensor b{"b", view_of(DType::f32, {5}, values)};
  write_safetensors(scratch("ab"), {a, b});
  write_safetensors(scratch("ba"), {b, a});
  const auto bytes = read_file(scratch("ab"), 1 << 20);
  EXPECT_EQ(bytes, read_file(scratch("ba"), 1 << 20));
  EXPECT_EQ(bytes[0] % 8, 0);
}

TEST(SafetensorsTest, RejectsHostileHeaders) {
  const auto tensor = [](const std::string& shape, const std::string& offsets,
                         const std::string& dtype = "F32") {
    return R"("t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}";
  };
  EXPECT_EQ(problem("{" + tensor("[2]", "[0,8]") + "}", 8), "");
  EXPECT_EQ(problem("{}", 0), "");
  EXPECT_EQ(problem("{" + tensor("[2]", "[0,8]") + "}   ", 8), "");
  const std::vector<std::pair<std::string, size_t>> bad = {
      {"", 0},
      {"[]", 0},
      {"{", 0},
      {"{" + tensor("[2]", "[0,8]") + "," + tensor("[2]", "[0,8]") + "}", 8},
      {"{" + tensor("[3]", "[0,8]") + "}", 8},
      {"{" + tensor("[2]", "[0,8]") + "}", 4},
      {"{" + tensor("[2]", "[0,8]") + "}", 12},
      {"{" + tensor("[2]", "[4,12]") + "}", 12},
      {"{" + tensor("[2]", "[8,0]") + "}", 8},
      {"{" + tensor("[-2]", "[0,8]") + "}", 8},
      {"{" + tensor("[2.0]", "[0,8]") + "}", 8},
      {"{" + tensor("[9223372036854775807,4]", "[0,8]") + "}", 8},
      {"{" + tensor("[9223372036854775807,0]", "[0,8]") + "}", 8},
      {"{" + tensor("[4611686018427387905]", "[0,4]") + "}", 4},
      {"{" + tensor("[2]", "[0,18446744073709551615]") + "}", 8},
      {"{" + tensor("[2]", "[0]") + "}", 8},
      {"{" + tensor("[2]", "[0,8]", "f32") + "}", 8},
      {"{" + tensor("[2]", "[0,8]", "F32 ") + "}", 8},
      {"{" + tensor("[8]", "[0,8]", "F8_E4M3") + "}", 8},
      {R"({"t":3})", 0},
      {R"({"t":{"dtype":"F32","shape":[2]}})", 8},
      {R"({"__metadata__":{"a":1}})", 0},
      {R"({"__metadata__":[]})", 0},
      {"{" + tensor("[2]", "[0,8]") + R"(,"u":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       12},
      {"{" + tensor("[2]", "[0,8]") + R"(,"u":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       8},
      {"{\"" + std::string(10, '[') + std::string(5000, '['), 0},
  };
  for (const auto& [header, size] : bad) {
    EXPECT_NE(problem(header, size), "") << header;
    EXPECT_EQ(problem(header, size).find('\n'), std::string::npos);
  }
  EXPECT_EQ(problem("{" + tensor("[3]", "[0,8]") + "}", 8),
            "f: tensor 't': 3 elements of f32 do not fill its 8 bytes");
}

TEST(SafetensorsTest, RejectsHeaderLongerThanFile) {
  EXPECT_THROW(parse_safetensors("f", {}), ParseError);
  auto file = file_of("{}", 0);
  file[0] = 3;
  EXPECT_THROW(parse_safetensors("f", file), ParseError);
  file[7] = 0xFF;
  EXPECT_THROW(parse_safetensors("f", file), ParseError);
}

TEST(SafetensorsTest, ReadsShards) {
  const std::vector<float> values = {1.f, 2.f};
  write_safetensors(scratch("m-1.safetensors"), {{"a", view_of(DType::f32, {2}, values)}});
  write_safetensors(scratch("m-2.safetensors"), {{"b", view_of(DType::f32, {1, 2}, values)}});
  const std::string index = scratch("m.safetensors.index.json");
  write_file_atomic(
      index, R"({"metadata":{},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})");
  const auto file = SafetensorsFile::open(index);
  EXPECT_EQ(file.tensors().size(), 2u);
  EXPECT_THAT(file.tensor("b").shape, testing::ElementsAre(1, 2));

  write_file_atomic(index, R"({"weight_map":{"c":"m-1.safetensors"}})");
  EXPECT_THROW(SafetensorsFile::open(index), ParseError);
  write_file_atomic(index, R"({"weight_map":{"a":"../m-1.safetensors"}})");
  EXPECT_THROW(SafetensorsFile::open(index), ParseError);
  write_file_atomic(index, R"({"weight_map":{"a":"m-9.safetensors"}})");
  EXPECT_THROW(SafetensorsFile::open(index), NotFound);
  EXPECT_THROW(SafetensorsFile::open(scratch("none.safetensors")), NotFound);
}

TEST(SafetensorsTest, WriterRejectsImpossibleTensors) {
  const std::vector<float> values = {1.f, 2.f};
  const auto view = view_of(DType::f32, {2}, values);
  const std::string path = scratch("never");
  EXPECT_THROW(write_safetensors(path, {{"a", view}, {"a", view}}), InvalidArgument);
  EXPECT_THROW(write_safetensors(path, {{"__metadata__", view}}), InvalidArgument);
  EXPECT_THROW(write_safetensors(path, {{"a\xff", view}}), InvalidArgument);
  EXPECT_THROW(write_safetensors(path, {{"a", view_of(DType::f32, {3}, values)}}), InvalidArgument);
  EXPECT_THROW(write_safetensors(path, {{"a", view, DType::i8}}), InvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace openclip
