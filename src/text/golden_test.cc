// Ids and cleaned texts against Python's, from tests/golden/text (tools/goldens/text.py).
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/clean.h"
#include "text/clip_tokenizer.h"
#include "text/hf_tokenizer.h"
#include "text/vocabulary.h"

namespace openclip {
namespace {

using Json = nlohmann::json;

std::string golden(const std::string& name) {
  return OPENCLIP_SOURCE_DIR "/tests/golden/text/" + name;
}

const Json& rows() {
  static const Json texts = Json::parse(read_text_file(golden("texts.json"), 1 << 24))["texts"];
  return texts;
}

void expect_ids(const Tokenizer& tokenizer, const char* key) {
  EXPECT_GE(rows().size(), 300u);
  for (const Json& row : rows()) {
    const auto text = row["text"].get<std::string>();
    const auto wanted = row[key].get<std::vector<int32_t>>();
    EXPECT_EQ(tokenizer.encode(text), wanted) << row["text"].dump(-1, ' ', true);
    const auto padded = tokenizer.encode_padded(text);
    EXPECT_EQ(padded.size(), static_cast<size_t>(tokenizer.context_length()));
  }
}

TEST(TextGoldenTest, CleansAsOpenClip) {
  for (const Json& row : rows()) {
    const auto text = row["text"].get<std::string>();
    EXPECT_EQ(clean_text(text, CleanMode::lower), row["clean"].get<std::string>()) << row["text"];
    EXPECT_EQ(clean_text(text, CleanMode::canonicalize), row["canonical"].get<std::string>())
        << row["text"];
  }
}

TEST(TextGoldenTest, TinyVocabularyIdsEqualSimpleTokenizer) {
  expect_ids(*ClipTokenizer::open(golden("tiny_vocab.txt")), "tiny");
}

TEST(TextGoldenTest, TinyTokenizerJsonIdsEqualHfTokenizer) {
  const auto tokenizer =
      HfTokenizer::open(golden("tiny_tokenizer/tokenizer.json"), {.context_length = 32});
  EXPECT_EQ(tokenizer->pad_id(), 0);
  expect_ids(*tokenizer, "hf");
}

TEST(TextGoldenTest, ClipIdsEqualSimpleTokenizer) {
  std::unique_ptr<const Tokenizer> tokenizer;
  try {
    tokenizer = open_clip_vocabulary();
  } catch (const NotFound& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_EQ(tokenizer->vocab_size(), 49408);
  EXPECT_EQ(tokenizer->start_id(), 49406);
  expect_ids(*tokenizer, "clip");
}

}  // namespace
}  // namespace openclip
