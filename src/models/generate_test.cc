// CoCa against the features and captions that Python open_clip computes (tools/goldens/coca.py).
#include "models/generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "io/safetensors.h"
#include "models/beam_search.h"
#include "models/test_util.h"

namespace openclip {
namespace {

const std::string kFolder = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/coca/";
constexpr int kContext = 16;

struct Golden {
  ModelConfig config;
  SafetensorsFile io;
  std::shared_ptr<const Model> model;

  explicit Golden(const std::string& name)
      : config(parse_model_config(read_text_file(kFolder + name + ".json", 1 << 20), name, name)),
        io(SafetensorsFile::open(kFolder + name + ".io.safetensors")),
        model(
            Model::load(Context(2), config, kFolder + name + ".safetensors", {.captions = true})) {}
};

// As towers/golden_test.cc: sums of about 100 products in some 20 layers.
void expect_features(const std::vector<float>& got, const std::vector<float>& want) {
  float largest = 0;
  for (const float value : want) largest = std::max(largest, std::abs(value));
  const double tolerance = largest * std::numeric_limits<float>::epsilon() * 10 * std::sqrt(20.0);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], tolerance) << i;
}

GenerationOptions tiny_options() {
  GenerationOptions options;
  options.seq_len = kContext;
  options.start_id = 38;
  options.end_id = 39;
  return options;
}

GenerationOptions case_options(const std::string& name) {
  GenerationOptions options = tiny_options();
  if (name.starts_with("greedy")) options.type = GenerationType::top_k;
  if (name == "beam_one_group") {
    options.num_beams = 4;
    options.num_beam_groups = 1;
    options.min_seq_len = 0;
  } else if (name == "beam_penalty") {
    options.num_beam_groups = 2;
    options.repetition_penalty = 1.5;
    options.min_seq_len = 8;
  } else if (name == "beam_short") {
    options.seq_len = 7;
    options.min_seq_len = 2;
  } else if (name == "greedy_penalty") {
    options.repetition_penalty = 1.3;
    options.min_seq_len = 2;
  } else if (name == "greedy_top_p") {
    options.type = GenerationType::top_p;
    options.top_p = 0;
  }
  return options;
}

class CocaTest : public testing::TestWithParam<const char*> {};

TEST_P(CocaTest, Features) {
  const Golden golden(GetParam());
  const auto images = values<float>(golden.io, "image_features");
  const auto texts = values<float>(golden.io, "text_features");
  const auto pixels = values<float>(golden.io, "pixels");
  const auto padded = values<int32_t>(golden.io, "ids");
  const auto lengths = values<int32_t>(golden.io, "lengths");
  std::vector<std::vector<int32_t>> ids;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const auto row = padded.begin() + static_cast<int64_t>(i) * kContext;
    ids.emplace_back(row, row + lengths[i]);
  }
  std::vector<float> got_images(images.size()), got_texts(texts.size());
  golden.model->encode_image(Context(2), pixels.data(), 6, got_images.data());
  golden.model->encode_text(Context(2), ids, got_texts.data());
  expect_features(got_images, images);
  expect_features(got_texts, texts);
}

TEST_P(CocaTest, CaptionsAreThoseOfOpenClip) {
  const Golden golden(GetParam());
  const auto pixels = values<float>(golden.io, "pixels");
  for (const char* name : {"beam", "beam_one_group", "beam_penalty", "beam_short", "greedy",
                           "greedy_penalty", "greedy_top_p"}) {
    const auto want = values<int32_t>(golden.io, std::string("generate.") + name);
    const size_t longest = want.size() / 6;
    const auto got = generate(Context(2), *golden.model, pixels.data(), 6, case_options(name));
    ASSERT_EQ(got.size(), 6u);
    const bool is_beam = std::string(name).starts_with("beam");
    for (size_t i = 0; i < 6; ++i) {
      std::vector<int32_t> ids(&want[i * longest], &want[i * longest] + longest);
      while (ids.back() < 0) ids.pop_back();               // the golden's filling
      while (!is_beam && ids.back() == 0) ids.pop_back();  // padding that ended the text
      EXPECT_EQ(got[i], ids) << name << ", picture " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, CocaTest, testing::Values("pooled", "pooled_square", "patches"),
                         [](const auto& info) { return std::string(info.param); });

TEST(GenerateTest, SamplingDependsOnTheSeedAlone) {
  const Golden golden("pooled");
  const auto pixels = values<float>(golden.io, "pixels");
  GenerationOptions options = tiny_options();
  options.type = GenerationType::top_k;
  options.top_k = 5;
  options.seed = 7;
  const auto first = generate(Context(2), *golden.model, pixels.data(), 6, options);
  EXPECT_EQ(generate(Context(1), *golden.model, pixels.data(), 6, options), first);
  const auto two = generate(Context(2), *golden.model, pixels.data(), 2, options);
  EXPECT_EQ(two[1], first[1]);
  options.seed = 8;
  EXPECT_NE(generate(Context(2), *golden.model, pixels.data(), 6, options), first);
}

TEST(GenerateTest, SampledWordsHaveTheirProbabilities) {
  GenerationOptions options;
  options.type = GenerationType::top_p;
  options.top_p = 0.95;
  options.temperature = 0.5;
  const std::vector<float> scores = {std::log(0.6f), std::log(0.01f), std::log(0.3f),
                                     std::log(0.09f)};
  std::mt19937_64 random(1);
  std::vector<int> counts(4);
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i)
    ++counts[static_cast<size_t>(sample_word(scores, options, random))];
  // Kept are 0.6, 0.3 and 0.09, squared by the temperature. Five standard deviations.
  const double all = 0.36 + 0.09 + 0.0081;
  EXPECT_EQ(counts[1], 0);
  for (const auto& [word, weight] : {std::pair{0, 0.36}, {2, 0.09}, {3, 0.0081}}) {
    const double p = weight / all;
    EXPECT_NEAR(counts[static_cast<size_t>(word)], kDraws * p, 5 * std::sqrt(kDraws * p * (1 - p)));
  }
}

TEST(GenerateTest, Refusals) {
  const Golden golden("pooled");
  const auto pixels = values<float>(golden.io, "pixels");
  const auto refuses = [&](auto change) {
    GenerationOptions options = tiny_options();
    change(options);
    EXPECT_THROW(generate(Context(1), *golden.model, pixels.data(), 1, options), InvalidArgument);
  };
  refuses([](GenerationOptions& o) { o.min_seq_len = o.seq_len; });
  refuses([](GenerationOptions& o) { o.seq_len = kContext + 2; });
  refuses([](GenerationOptions& o) { o.num_beams = 1; });
  refuses([](GenerationOptions& o) { o.num_beam_groups = 4; });
  refuses([](GenerationOptions& o) { o.end_id = 40; });
  refuses([](GenerationOptions& o) { o.temperature = 0; });
  refuses([](GenerationOptions& o) { o.repetition_penalty = -1; });
  const auto without = Model::load(Context(1), golden.config, kFolder + "pooled.safetensors");
  EXPECT_THROW(generate(Context(1), *without, pixels.data(), 1, tiny_options()), InvalidArgument);
  EXPECT_TRUE(generate(Context(1), *golden.model, nullptr, 0, tiny_options()).empty());
}

}  // namespace
}  // namespace openclip
