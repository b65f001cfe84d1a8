// Order, captions, file formats and the loader's determinism.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "data/dataset.h"
#include "data/indexed_dataset.h"
#include "data/loader.h"

namespace openclip::train {
namespace {

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A 2x1 BMP, red and blue.
std::string tiny_bmp() {
  std::string file = "BM";
  const auto number = [&](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) file += static_cast<char>(value >> (8 * i));
  };
  number(62, 4), number(0, 4), number(54, 4), number(40, 4), number(2, 4), number(1, 4);
  number(1, 2), number(24, 2), number(0, 4), number(8, 4);
  for (int i = 0; i < 4; ++i) number(0, 4);
  return file + std::string("\x00\x00\xff\xff\x00\x00\x00\x00", 8);
}

std::vector<int64_t> order(Dataset& dataset, uint64_t seed, int64_t epoch, int count, int skip) {
  auto stream = dataset.stream(seed, epoch, {});
  stream->skip(skip);
  std::vector<int64_t> indices;
  for (int i = 0; i < count; ++i) indices.push_back(stream->next().index);
  return indices;
}

TEST(IndexedDatasetTest, EachPassIsAPermutation) {
  auto dataset = open_synthetic(10, 8);
  std::vector<int64_t> two_passes = order(*dataset, 1, 0, 20, 0);
  std::vector<int64_t> first(two_passes.begin(), two_passes.begin() + 10);
  std::vector<int64_t> second(two_passes.begin() + 10, two_passes.end());
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(first[i], i);
  EXPECT_EQ(first, second);
}

TEST(IndexedDatasetTest, OrderFollowsSeedAndEpochAndSurvivesSkipping) {
  auto dataset = open_synthetic(10, 8);
  EXPECT_EQ(order(*dataset, 1, 0, 20, 0), order(*dataset, 1, 0, 20, 0));
  EXPECT_NE(order(*dataset, 1, 0, 20, 0), order(*dataset, 2, 0, 20, 0));
  EXPECT_NE(order(*dataset, 1, 0, 20, 0), order(*dataset, 1, 1, 20, 0));
  const std::vector<int64_t> all = order(*dataset, 1, 0, 20, 0);
  EXPECT_EQ(order(*dataset, 1, 0, 7, 13), std::vector<int64_t>(all.begin() + 13, all.end()));
}

TEST(ExpandShardsTest, BracesListsAndSources) {
  EXPECT_EQ(expand_shards("a-{008..010}.tar::b{x,y}.tar"),
            (std::vector<std::string>{"a-008.tar", "a-009.tar", "a-010.tar", "bx.tar", "by.tar"}));
  EXPECT_THROW(expand_shards("a-{3..1}.tar"), InvalidArgument);
  EXPECT_THROW(expand_shards("a-{1..x}.tar"), InvalidArgument);
  EXPECT_THROW(expand_shards("a-{1..2.tar"), InvalidArgument);
  EXPECT_THROW(expand_shards("/nowhere/*.tar"), NotFound);
}

TEST(CaptionTest, FirstOfAListHalfOfTheTimeAndKeysByProbability) {
  SampleText text;
  text.by_key = {{"a", "b", "c"}, {"z"}};
  CaptionOptions options;
  options.keys = {"en", "zh"};
  options.probabilities = {0.75, 0.25};
  std::map<std::string, int> seen;
  Random random{7};
  for (int i = 0; i < 8000; ++i) ++seen[*choose_caption(text, options, random)];
  EXPECT_NEAR(seen["a"], 3000, 200);
  EXPECT_NEAR(seen["b"], 1500, 200);
  EXPECT_NEAR(seen["z"], 2000, 200);
  options.probabilities.clear();  // priority: the first key that is present
  for (int i = 0; i < 50; ++i) EXPECT_NE(*choose_caption(text, options, random), "z");
  text.by_key[0].clear();
  EXPECT_EQ(*choose_caption(text, options, random), "z");
  text.by_key[1].clear();
  EXPECT_EQ(choose_caption(text, options, random), nullptr);
}

TEST(CsvTest, QuotedFieldsAndClearErrors) {
  const std::string folder = testing::TempDir() + "/csv";
  write(folder + "/p.bmp", tiny_bmp());
  write(folder + "/ok.csv",
        "title,filepath\r\n\"one, \"\"two\"\"\nthree\"," + folder + "/p.bmp\r\n\n");
  auto dataset = open_csv({.path = folder + "/ok.csv", .separator = ","});
  ASSERT_EQ(dataset->size(), 1);
  const DecodedSample sample = dataset->load({.index = 0, .raw = nullptr});
  EXPECT_EQ(sample.text->by_key[0][0], "one, \"two\"\nthree");
  EXPECT_EQ(sample.picture->width, 2);
  EXPECT_THROW(open_csv({.path = folder + "/ok.csv", .separator = "\t"}), ParseError);
  write(folder + "/short.csv", "filepath,title\nonly\n");
  EXPECT_THROW(open_csv({.path = folder + "/short.csv", .separator = ","}), ParseError);
}

TEST(FolderTest, PairsByNameAndSaysWhenThereAreNone) {
  const std::string folder = testing::TempDir() + "/tree";
  write(folder + "/a/x.bmp", tiny_bmp());
  write(folder + "/a/x.txt", "a caption");
  write(folder + "/b/y.BMP", tiny_bmp());  // no caption
  ShardOptions options;
  options.image_extensions = {"bmp"};
  EXPECT_EQ(open_folder(folder, options)->size(), 1);
  EXPECT_THROW(open_folder(folder + "/b", options), Error);
}

Batch batch_with(int workers, int64_t first, int64_t which) {
  static auto dataset = open_synthetic(64, 16);
  AugmentOptions augment;
  augment.parse({"style=0.8"});
  const Augmenter augmenter(augment, {}, 16);
  LoaderOptions options;
  options.batch_size = 8;
  options.batches_per_epoch = 3;
  options.workers = workers;
  options.seed = 5;
  options.image_size = 16;
  options.context_length = 4;
  options.with_hog = true;
  Loader loader(
      *dataset, augmenter,
      [](const std::string&) {
        return std::vector<int64_t>{1, 2};
      },
      options, first, nullptr);
  Batch batch;
  for (int64_t i = first; i <= which; ++i) batch = loader.next();
  return batch;
}

TEST(LoaderTest, BatchesDependOnNeitherWorkersNorStart) {
  const Batch expected = batch_with(1, 0, 7);
  for (const Batch& other : {batch_with(4, 0, 7), batch_with(3, 7, 7), batch_with(2, 5, 7)}) {
    EXPECT_TRUE(expected.pixels.equal(other.pixels));
    EXPECT_TRUE(expected.ids.equal(other.ids));
    EXPECT_TRUE(expected.hog.equal(other.hog));
  }
  EXPECT_FALSE(expected.pixels.equal(batch_with(1, 0, 6).pixels));
}

// Every third sample cannot be read.
class Damaged : public IndexedDataset {
 public:
  int64_t size() const override { return 9; }
  DecodedSample load(Ticket ticket) const override {
    if (ticket.index % 3 == 0) throw ParseError("sample", "is damaged");
    static const SampleText text = [] {
      SampleText t;
      t.by_key = {{"caption"}};
      return t;
    }();
    auto picture = std::make_shared<const Image>(make_image(PixelMode::rgb, 8, 8));
    return {.holder = nullptr, .text = &text, .picture = picture, .key = "x"};
  }
};

TEST(LoaderTest, DamagedSamplesAreLeftOutAndReported) {
  Damaged dataset;
  const Augmenter augmenter({}, {}, 8);
  std::atomic<int> warnings = 0;
  LoaderOptions options;
  options.batch_size = 9;
  options.prefetch = 1;
  options.image_size = 8;
  options.context_length = 4;
  Loader loader(
      dataset, augmenter, [](const std::string&) { return std::vector<int64_t>{1}; }, options, 0,
      [&](const std::string&) { ++warnings; });
  EXPECT_EQ(loader.next().ids.size(0), 6);
  EXPECT_GE(warnings, 3);
}

}  // namespace
}  // namespace openclip::train
