// Ids of tokenizers of every kind against open_clip's HFTokenizer, from tests/golden/tokenizers
// (tools/goldens/tokenizer_files.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/hf_folder.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path kGolden = OPENCLIP_SOURCE_DIR "/tests/golden";

std::vector<std::string> all_texts(const Json& golden) {
  std::vector<std::string> texts;
  const Json rows =
      Json::parse(read_text_file((kGolden / "text/texts.json").string(), 1 << 24))["texts"];
  for (const Json& row : rows) texts.push_back(row["text"]);
  for (const Json& text : golden["extra_texts"]) texts.push_back(text);
  return texts;
}

HfTokenizer::Options options_of(const Json& row) {
  HfTokenizer::Options options{.context_length = row["context_length"]};
  if (row["options"].value("clean", "") == "canonicalize") options.clean = CleanMode::canonicalize;
  options.strip_sep_token = row["options"].value("strip_sep_token", false);
  return options;
}

// The folder of a case with the files that it shall have.
class Folder {
 public:
  explicit Folder(const Json& row) : path_(fs::path(testing::TempDir()) / "openclip_hf_golden") {
    fs::remove_all(path_);
    fs::create_directories(path_);
    const auto without = row["without"].get<std::vector<std::string>>();
    for (const auto& file :
         fs::directory_iterator(kGolden / "tokenizers" / row["folder"].get<std::string>()))
      if (std::find(without.begin(), without.end(), file.path().filename()) == without.end())
        fs::copy(file.path(), path_ / file.path().filename());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST(HfGoldenTest, IdsEqualHfTokenizer) {
  const Json golden =
      Json::parse(read_text_file((kGolden / "tokenizers/ids.json").string(), 1 << 24));
  const std::vector<std::string> texts = all_texts(golden);
  EXPECT_GE(golden["cases"].size(), 13u);
  for (const Json& row : golden["cases"]) {
    const std::string name = row["folder"].get<std::string>() + row["without"].dump();
    SCOPED_TRACE(name);
    const Folder folder(row);
    const auto tokenizer = open_hf_folder(folder.path(), options_of(row));
    const int32_t pad = row["pad"];
    EXPECT_EQ(tokenizer->pad_id(), pad);
    ASSERT_EQ(row["ids"].size(), texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      std::vector<int32_t> ids = tokenizer->encode_padded(texts[i]);
      EXPECT_EQ(ids.size(), row["context_length"].get<size_t>());
      while (!ids.empty() && ids.back() == pad) ids.pop_back();
      EXPECT_EQ(ids, row["ids"][i].get<std::vector<int32_t>>())
          << i << " " << Json(texts[i]).dump(-1, ' ', true).substr(0, 300);
    }
  }
}

TEST(HfGoldenTest, DecodesWhatItEncodes) {
  const Json golden =
      Json::parse(read_text_file((kGolden / "tokenizers/ids.json").string(), 1 << 24));
  for (const Json& row : golden["cases"]) {
    const Folder folder(row);
    const auto tokenizer = open_hf_folder(folder.path(), {.context_length = 77});
    for (const char* text : {"a photo of two dogs near the sea", "cat"})
      EXPECT_EQ(tokenizer->decode(tokenizer->encode_padded(text)), text) << row["folder"];
  }
}

TEST(HfFolderTest, SaysWhatItLookedFor) {
  const std::string folder = testing::TempDir() + "/openclip_no_tokenizer";
  fs::create_directories(folder);
  EXPECT_FALSE(has_hf_tokenizer(folder));
  try {
    open_hf_folder(folder, {});
    ADD_FAILURE();
  } catch (const NotFound& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("sentencepiece.bpe.model"));
  }
  write_file_atomic(folder + "/spiece.model", "not a protobuf");
  EXPECT_TRUE(has_hf_tokenizer(folder));
  EXPECT_THROW(open_hf_folder(folder, {}), ParseError);
  write_file_atomic(folder + "/tokenizer_config.json", R"({"tokenizer_class": "XLNetTokenizer"})");
  EXPECT_THROW(open_hf_folder(folder, {}), Unsupported);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace openclip
