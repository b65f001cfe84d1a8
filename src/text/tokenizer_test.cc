#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "text/bpe.h"
#include "text/clip_tokenizer.h"
#include "text/hf_tokenizer.h"
#include "text/vocabulary.h"

namespace openclip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kTextGolden = OPENCLIP_SOURCE_DIR "/tests/golden/text/";

std::unique_ptr<ClipTokenizer> tiny(int context = 77) {
  return ClipTokenizer::open(std::string(kTextGolden) + "tiny_vocab.txt", context);
}

// The textbook algorithm: merge all occurrences of the best pair, again and again.
std::vector<int32_t> merge_slowly(std::vector<int32_t> symbols,
                                  const std::vector<std::array<int32_t, 3>>& merges) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [left, right, merged] : merges) {
      for (size_t i = 0; i + 1 < symbols.size(); ++i) {
        if (symbols[i] != left || symbols[i + 1] != right) continue;
        symbols[i] = merged;
        symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(i) + 1);
        changed = true;
      }
      if (changed) break;
    }
  }
  return symbols;
}

TEST(BpeTest, ShortAndLongWordsFollowTheRanks) {
  std::array<int32_t, 256> inner{}, last{};
  for (int32_t b = 0; b < 256; ++b) {
    inner[static_cast<size_t>(b)] = b;
    last[static_cast<size_t>(b)] = 256 + b;
  }
  std::mt19937 random(3);
  std::vector<int32_t> known = {'a', 'b', 'c', 256 + 'a', 256 + 'b', 256 + 'c'};
  std::vector<std::array<int32_t, 3>> merges;
  BpeModel bpe(inner, last, BpeModel::kNoToken, 60);
  for (int32_t i = 0; i < 60;) {
    const std::array<int32_t, 3> merge = {known[random() % known.size()],
                                          known[random() % known.size()], 512 + i};
    const auto same = [&](const auto& m) { return m[0] == merge[0] && m[1] == merge[1]; };
    if (std::any_of(merges.begin(), merges.end(), same)) continue;
    bpe.add_merge(merge[0], merge[1], merge[2]);
    merges.push_back(merge);
    known.push_back(merge[2]);
    ++i;
  }
  for (const size_t size : {1, 2, 3, 7, 20, 47, 48, 49, 50, 100, 400}) {
    for (int repeat = 0; repeat < 30; ++repeat) {
      std::string word;
      while (word.size() < size) word += static_cast<char>('a' + random() % 3);
      std::vector<int32_t> symbols(word.begin(), word.end());
      symbols.back() += 256;
      std::vector<int32_t> got;
      bpe.encode_word(word, &got);
      ASSERT_EQ(got, merge_slowly(symbols, merges)) << word;
    }
  }
}

TEST(ClipTokenizerTest, CutsAndPads) {
  const auto tokenizer = tiny();
  size_t cut = 9;
  EXPECT_THAT(tokenizer->encode("", 0, &cut),
              ElementsAre(tokenizer->start_id(), tokenizer->end_id()));
  EXPECT_EQ(cut, 0u);
  const auto short_ids = tokenizer->encode_padded("1 2 3 4", 4, &cut);
  EXPECT_EQ(cut, 2u);
  EXPECT_EQ(short_ids.size(), 4u);
  EXPECT_EQ(short_ids.back(), tokenizer->end_id());
  EXPECT_THAT(tokenizer->encode_padded("1 2", 4, &cut),
              ElementsAre(testing::_, testing::_, testing::_, tokenizer->end_id()));
  EXPECT_EQ(cut, 0u);
  EXPECT_EQ(tokenizer->encode_padded("1", 6).back(), 0);
  EXPECT_THROW(tokenizer->encode("x", 1), InvalidArgument);
  EXPECT_THROW(tokenizer->encode("x", -5), InvalidArgument);
  EXPECT_THROW(tiny(1), InvalidArgument);
}

TEST(ClipTokenizerTest, DecodesWhatItEncodes) {
  const auto tokenizer = tiny();
  for (const char* text : {"a photo of a cat", "\xe7\x8c\xab !", "x y z", ""})
    EXPECT_EQ(tokenizer->decode(tokenizer->encode_padded(text)), text);
  EXPECT_THROW(tokenizer->decode({1'000'000}), InvalidArgument);
  EXPECT_THROW(tokenizer->decode({-1}), InvalidArgument);
}

TEST(ClipTokenizerTest, RejectsMalformedMerges) {
  for (const char* merges : {"#v\na", "#v\na b c", "#v\na nope", "#v\na b\na b", "#v\n\n"})
    EXPECT_THROW(ClipTokenizer("v", merges), ParseError) << merges;
  EXPECT_EQ(ClipTokenizer("v", "#v").vocab_size(), 514);
  EXPECT_EQ(ClipTokenizer("v", "#v\na b\n").vocab_size(), 515);
}

TEST(ClipTokenizerTest, RejectsDamagedGzip) {
  const std::string path = testing::TempDir() + "/openclip_vocab_test.gz";
  write_file_atomic(path, std::string_view("\x1f\x8b\x08\x00garbage", 11));
  EXPECT_THROW(ClipTokenizer::open(path), ParseError);
  EXPECT_THROW(ClipTokenizer::open(path + ".none"), NotFound);
}

TEST(ClipTokenizerTest, HugeTextsTakeLinearTime) {
  const auto tokenizer = tiny();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(tokenizer->encode(std::string(500'000, 'a')).size(), 77u);
  EXPECT_EQ(tokenizer->encode(std::string(500'000, '&')).size(), 77u);
  std::string layers = "&";
  while (layers.size() < 200'000) layers += "amp;";
  EXPECT_EQ(tokenizer->encode(layers).size(), 77u);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 20.0);  // about 1 s when nothing else runs
}

TEST(ClipTokenizerTest, ThreadsShareOne) {
  const auto tokenizer = tiny();
  const auto wanted = tokenizer->encode("caf\xc3\xa9 &amp; \xe7\x8c\xab");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i)
        ASSERT_EQ(tokenizer->encode("caf\xc3\xa9 &amp; \xe7\x8c\xab"), wanted);
    });
  for (std::thread& thread : threads) thread.join();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(HfTokenizerTest, RefusesOtherAlgorithms) {
  const std::string good =
      read_text_file(std::string(kTextGolden) + "tiny_tokenizer/tokenizer.json", 1 << 24);
  HfTokenizer("t", good, {});
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"BPE\"", "\"WordLevel\""},
           {"\"Lowercase\"", "\"StripAccents\""},
           {"\\\\p{N}]|", "\\\\p{N}]+|"},
           {"\"ByteLevel\"", "\"Metaspace\""},
           {"\"RobertaProcessing\"", "\"OtherProcessing\""},
           {"\"byte_fallback\":false", "\"byte_fallback\":true"},
           {"\"dropout\":null", "\"dropout\":0.1"}})
    EXPECT_THROW(HfTokenizer("t", replaced(good, from, to), {}), Unsupported) << from;
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"merges\":[[", "\"merges\":[[\"qqz\",\"qqz\"],["},
           {"\"vocab\":{", "\"vocab\":{\"qqz\":-1,"},
           {"\"vocab\":{", "\"vocab\":{\"qqz\":4294967296,"},
           {"\"vocab\":{", "\"vocab\":[{"}})
    EXPECT_THROW(HfTokenizer("t", replaced(good, from, to), {}), ParseError) << to;
  EXPECT_THROW(HfTokenizer("t", "", {}), ParseError);
  EXPECT_THROW(HfTokenizer("t", good, {.pad_token = "<none>"}), ParseError);
  EXPECT_THROW(HfTokenizer("t", good, {.context_length = 0}), InvalidArgument);
}

TEST(HfTokenizerTest, DecodesWhatItEncodes) {
  const auto tokenizer =
      HfTokenizer::open(std::string(kTextGolden) + "tiny_tokenizer/tokenizer.json", {});
  EXPECT_EQ(tokenizer->decode(tokenizer->encode_padded("A photo \xe7\x8c\xab")),
            "a photo \xe7\x8c\xab");
}

TEST(VocabularyTest, SaysHowToGetIt) {
  setenv("OPENCLIP_VOCAB", "/nonexistent/vocab", 1);
  EXPECT_THROW(find_clip_vocabulary(), NotFound);
  setenv("OPENCLIP_VOCAB", kTextGolden, 1);
  EXPECT_EQ(find_clip_vocabulary(), kTextGolden);
  unsetenv("OPENCLIP_VOCAB");
  const char* cache = std::getenv("OPENCLIP_CACHE");
  const std::string before = cache != nullptr ? cache : "";
  setenv("OPENCLIP_CACHE", "/nonexistent/cache", 1);
  try {
    find_clip_vocabulary();
    ADD_FAILURE();
  } catch (const NotFound& error) {
    EXPECT_THAT(error.what(), HasSubstr("tools/setup/fetch_vocab.sh"));
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/cache/bpe_simple_vocab_16e6.txt.gz"));
  }
  if (cache != nullptr)
    setenv("OPENCLIP_CACHE", before.c_str(), 1);
  else
    unsetenv("OPENCLIP_CACHE");
}

}  // namespace
}  // namespace openclip
