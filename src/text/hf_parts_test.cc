// Parts of tokenizer files that the goldens' vocabularies do not reach.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "text/added_tokens.h"
#include "text/base64.h"
#include "text/gpt2_split.h"
#include "text/hf_normalizer.h"
#include "text/hf_splitter.h"
#include "text/protobuf.h"
#include "text/sentencepiece_file.h"
#include "text/token_table.h"

namespace openclip {
namespace {

using testing::ElementsAre;

std::vector<std::string> words_of(const HfSplitter& splitter, std::string_view text,
                                  bool at_start = true) {
  std::vector<std::string> words;
  splitter.split(text, at_start, [&](std::string_view word) {
    words.emplace_back(word);
    return true;
  });
  return words;
}

TEST(TokenTableTest, FindsByTextAndId) {
  TokenTable table;
  for (int32_t id = 0; id < 1000; ++id) table.add("token" + std::to_string(id), id);
  table.add("token7", 1000);
  EXPECT_EQ(table.find("token999"), 999);
  EXPECT_EQ(table.find("token7"), 1000);
  EXPECT_EQ(table.token(1000), "token7");
  EXPECT_EQ(table.find("token"), TokenTable::kNoToken);
  EXPECT_EQ(table.find(""), TokenTable::kNoToken);
  EXPECT_EQ(table.token(-1), "");
  EXPECT_EQ(table.size(), 1001);
  EXPECT_EQ(table.longest(), 8u);
  EXPECT_THROW(table.add("x", 1 << 22), Internal);
}

TEST(Gpt2SplitTest, TakesSpacesAlong) {
  HfSplitter splitter;
  splitter.add(splitters::Gpt2{});
  EXPECT_THAT(words_of(splitter, "I'll see  12 'cats'!\n\n x "),
              ElementsAre("I", "'ll", " see", " ", " 12", " '", "cats", "'!", "\n\n", " x", " "));
}

TEST(SplitterTest, MetaspacePrependsWhereItIsAskedTo) {
  const auto words = [](splitters::Metaspace step, std::string_view text, bool at_start) {
    step.symbol = "_";
    HfSplitter splitter;
    splitter.add(step);
    return words_of(splitter, text, at_start);
  };
  using splitters::Prepend;
  EXPECT_THAT(words({.prepend = Prepend::always}, "a b", false), ElementsAre("_a", "_b"));
  EXPECT_THAT(words({.prepend = Prepend::first}, "a b", false), ElementsAre("a", "_b"));
  EXPECT_THAT(words({.prepend = Prepend::first}, " a  b", true), ElementsAre("_a", "_", "_b"));
  EXPECT_THAT(words({.prepend = Prepend::never, .split = false}, "a b", true), ElementsAre("a_b"));
}

TEST(SplitterTest, StepsFollowEachOtherAndStop) {
  HfSplitter splitter;
  splitter.add(splitters::WhiteSpace{.punctuation = true});
  splitter.add(splitters::After{"o"});
  EXPECT_THAT(words_of(splitter, " foo, b "), ElementsAre("fo", "o", ",", "b"));
  int calls = 0;
  splitter.split("a b c", true, [&](std::string_view) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
}

TEST(NormalizerTest, StepsFollowEachOther) {
  HfNormalizer normalizer;
  normalizer.add(normalizers::Form::nfkd);
  normalizer.add(normalizers::Lowercase{});
  normalizer.add(normalizers::Replace{"a", "bb"});
  normalizer.add(normalizers::ReplaceSpaces{"_"});
  normalizer.add(normalizers::Strip{});
  normalizer.add(normalizers::Prepend{">"});
  EXPECT_EQ(normalizer.apply(" \xef\xbc\xa1 x   A "), ">bb x_bb");
  EXPECT_EQ(normalizer.apply(""), "");
}

std::string marked(const std::vector<AddedToken>& tokens, std::string_view text) {
  std::string out;
  split_added_tokens(
      tokens, text,
      [&](std::string_view piece) { return !(out += "[" + std::string(piece) + "]").empty(); },
      [&](int32_t id) { return !(out += std::to_string(id)).empty(); });
  return out;
}

TEST(AddedTokensTest, LongestFirstWithTheirWhiteSpace) {
  const std::vector<AddedToken> tokens = {
      {.content = "<mask>", .id = 2, .lstrip = true, .rstrip = true},
      {.content = "cat", .id = 3, .single_word = true},
      {.content = "<m", .id = 4}};
  EXPECT_EQ(marked(tokens, "a <mask> b<m"), "[a]2[b]4");
  EXPECT_EQ(marked(tokens, "cats cat _cat"), "[cats ]3[ _cat]");
  EXPECT_EQ(marked(tokens, ""), "");
}

TEST(Base64Test, DecodesAndRefuses) {
  EXPECT_EQ(decode_base64("aGVsbG8="), "hello");
  EXPECT_EQ(decode_base64(""), "");
  for (const char* bad : {"a", "aGVsbG8", "a=bc", "aG!s", "===="})
    EXPECT_EQ(decode_base64(bad), std::nullopt) << bad;
}

TEST(ProtobufTest, RefusesWhatDoesNotFit) {
  const std::string source = "p";
  for (const std::string& bad :
       {std::string("\x0a\x05"
                    "ab"),
        std::string("\x0d"
                    "ab"),
        std::string("\x08"), std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        std::string("\x0b"), std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f")}) {
    ProtobufReader reader(source, bad);
    ProtobufField field;
    EXPECT_THROW(reader.next(&field), ParseError);
  }
  EXPECT_THROW(parse_sentencepiece("s", ""), ParseError);
  EXPECT_THROW(parse_sentencepiece("s", std::string("\x0a\x02\x0a\x00", 4)), ParseError);
  EXPECT_THROW(parse_sentencepiece("s",
                                   "\x0a\x03\x0a\x01"
                                   "a"
                                   "\x12\x02\x18\x03"),
               Unsupported);
  EXPECT_EQ(parse_sentencepiece("s",
                                "\x0a\x03\x0a\x01"
                                "a")
                .pieces.size(),
            1u);
}

TEST(CharsmapTest, RefusesMalformedMaps) {
  for (const std::string& bad :
       {std::string(), std::string("\x04\0\0\0", 4), std::string("\x03\0\0\0abc\0", 8),
        std::string("\x04\0\0\0abcd", 8), std::string("\x04\0\0\0abcdx", 9)})
    EXPECT_THROW(Charsmap("c", bad), ParseError);
  EXPECT_EQ(Charsmap("c", std::string("\x04\0\0\0\0\0\0\0\0", 9)).apply("text"), "text");
}

}  // namespace
}  // namespace openclip
