#include "io/faiss_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

std::vector<uint8_t> golden(const std::string& name) {
  return read_file(OPENCLIP_SOURCE_DIR "/tests/golden/faiss/" + name + ".index", 1 << 20);
}

// As tools/goldens/faiss_indexes.py makes them.
std::vector<float> expected() {
  std::vector<float> rows(24);
  for (size_t i = 0; i < 6; ++i) {
    double square = 0;
    for (size_t j = 0; j < 4; ++j) {
      const double value = std::sin(1 + 4.0 * static_cast<double>(i) + static_cast<double>(j));
      square += value * value;
    }
    for (size_t j = 0; j < 4; ++j)
      rows[4 * i + j] = static_cast<float>(
          std::sin(1 + 4.0 * static_cast<double>(i) + static_cast<double>(j)) / std::sqrt(square));
  }
  return rows;
}

TEST(FaissFileTest, ReadsWhatFaissWrote) {
  struct Kind {
    const char* name;
    bool l2, ids;
  };
  for (const Kind& kind :
       {Kind{"flat_ip", false, false}, Kind{"flat_l2", true, false}, Kind{"id_map", false, true},
        Kind{"id_map2", true, true}, Kind{"hnsw", false, false}, Kind{"id_map_hnsw", true, true}}) {
    const std::vector<uint8_t> bytes = golden(kind.name);
    const FaissVectors found = parse_faiss(kind.name, bytes);
    ASSERT_EQ(found.dim, 4) << kind.name;
    ASSERT_EQ(found.count, 6) << kind.name;
    EXPECT_EQ(found.l2, kind.l2) << kind.name;
    std::vector<float> rows(24);
    std::memcpy(rows.data(), bytes.data() + found.vectors_offset, 96);
    const std::vector<float> want = expected();
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_NEAR(rows[i], want[i], 1e-6) << kind.name;
    ASSERT_EQ(found.ids_offset.has_value(), kind.ids) << kind.name;
    for (size_t i = 0; kind.ids && i < 6; ++i) {
      int64_t id = 0;
      std::memcpy(&id, bytes.data() + *found.ids_offset + 8 * i, 8);
      EXPECT_EQ(id, static_cast<int64_t>(10 + i)) << kind.name;
    }
  }
}

TEST(FaissFileTest, WritesWhatFaissWould) {
  // Of the file with a map of ids only the kind differs: IxM2 for IxMp.
  const std::string path = testing::TempDir() + "/openclip_written.index";
  FaissWriter out(path, 4, 6);
  const std::vector<uint8_t> want = golden("id_map");
  const FaissVectors found = parse_faiss("id_map", want);
  std::vector<float> rows(24);
  std::memcpy(rows.data(), want.data() + found.vectors_offset, 96);
  for (size_t i = 0; i < 6; ++i) out.vector(std::span(rows).subspan(4 * i, 4));
  out.begin_ids();
  for (int64_t i = 10; i < 16; ++i) out.id(i);
  out.finish();
  std::vector<uint8_t> got = read_file(path, 1 << 20);
  EXPECT_EQ(got[3], '2');
  got[3] = 'p';
  EXPECT_EQ(got, want);
  std::filesystem::remove(path);
}

TEST(FaissFileTest, RefusesOtherKindsAndEveryCut) {
  EXPECT_THROW(parse_faiss("ivf", golden("ivf")), Unsupported);
  for (const char* name : {"flat_ip", "id_map2", "hnsw"}) {
    const std::vector<uint8_t> bytes = golden(name);
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_THROW(parse_faiss(name, std::span(bytes).first(size)), Error) << name << " " << size;
  }
  std::vector<uint8_t> bytes = golden("flat_ip");
  bytes[11] = 0x7F;  // a count of more than 10^17
  EXPECT_THROW(parse_faiss("count", bytes), ParseError);
}

}  // namespace
}  // namespace openclip
