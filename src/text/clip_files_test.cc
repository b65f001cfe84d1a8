#include "text/clip_files.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "text/clip_tokenizer.h"

namespace openclip {
namespace {

const std::string kVocabulary =
    std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/text/tiny_vocab.txt";

// Ids of transformers' own reading of such files are compared in tests/e2e/checkpoints_test.py.
TEST(ClipFilesTest, WrittenFilesGiveTheSameIds) {
  const std::string merges = read_text_file(kVocabulary, 1 << 20);
  const ClipTokenizer own(kVocabulary, merges, 20);
  const std::string folder = testing::TempDir() + "/openclip_clip_files";
  std::filesystem::create_directories(folder);
  const auto files = clip_vocabulary_files(kVocabulary, merges, 20);
  for (const auto& [name, content] : files) write_file_atomic(folder + "/" + name, content);
  const auto from_files = load_clip_files(folder, {.context_length = 20});
  const auto from_json = HfTokenizer::open(folder + "/tokenizer.json", {.context_length = 20});
  for (const HfTokenizer* tokenizer : {from_files.get(), from_json.get()}) {
    EXPECT_EQ(tokenizer->vocab_size(), own.vocab_size());
    EXPECT_EQ(tokenizer->end_id(), own.end_id());
    EXPECT_EQ(tokenizer->pad_id(), own.end_id());
    for (const char* text : {"a photo of a cat", "Hello, World! it's 1920x1080", "Z\xc3\xbcrich"})
      EXPECT_EQ(tokenizer->encode(text), own.encode(text)) << text;
  }
  std::filesystem::remove(folder + "/merges.txt");
  EXPECT_THROW(load_clip_files(folder, {}), NotFound);
  write_file_atomic(folder + "/merges.txt", "#version: 0.2\na b c\n");
  EXPECT_THROW(load_clip_files(folder, {}), ParseError);
  write_file_atomic(folder + "/vocab.json", "[]");
  EXPECT_THROW(load_clip_files(folder, {}), ParseError);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace openclip
