// Whole models against the features that Python open_clip computes (tools/goldens/towers.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "io/safetensors.h"
#include "models/model.h"
#include "models/test_util.h"

namespace openclip {
namespace {

const std::string kTowerFolder = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/towers/";

struct Golden {
  ModelConfig config;
  std::vector<float> pixels, image_features, text_features;
  std::vector<std::vector<int32_t>> ids;  // without padding

  explicit Golden(const std::string& name)
      : config(parse_model_config(read_text_file(kTowerFolder + name + ".json", 1 << 20), name,
                                  name)) {
    const SafetensorsFile io = SafetensorsFile::open(kTowerFolder + name + ".io.safetensors");
    pixels = values<float>(io, "pixels");
    image_features = values<float>(io, "image_features");
    text_features = values<float>(io, "text_features");
    const std::vector<int32_t> padded = values<int32_t>(io, "ids");
    const std::vector<int32_t> lengths = values<int32_t>(io, "lengths");
    for (size_t i = 0; i < lengths.size(); ++i) {
      const auto row = padded.begin() + static_cast<int64_t>(i) * config.text.context_length;
      ids.emplace_back(row, row + lengths[i]);
    }
  }

  std::string weights() const { return kTowerFolder + config.name + ".safetensors"; }
};

// Both sides round at every operation: sums of up to about 100 products (sqrt of that many
// roundings each) in some 20 layers after one another, relative to the largest feature.
double tolerance(const std::vector<float>& want) {
  float largest = 0;
  for (const float value : want) largest = std::max(largest, std::abs(value));
  return largest * std::numeric_limits<float>::epsilon() * 10 * std::sqrt(20.0);
}

void expect_features(const std::vector<float>& got, const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i], tolerance(want)) << "element " << i;
}

class GoldenTest : public testing::TestWithParam<const char*> {};

TEST_P(GoldenTest, ImageFeatures) {
  const Golden golden(GetParam());
  const Context context(2);
  const auto model =
      Model::load(context, golden.config, golden.weights(), {.towers = Towers::image_only});
  std::vector<float> got(golden.image_features.size());
  model->encode_image(context, golden.pixels.data(), 3, got.data());
  expect_features(got, golden.image_features);
  const std::vector<float> first = got;
  model->encode_image(context, golden.pixels.data(), 3, got.data());
  EXPECT_EQ(got, first) << "weights as they are stored, then packed";
}

TEST_P(GoldenTest, TextFeatures) {
  const Golden golden(GetParam());
  const Context context(2);
  const auto model =
      Model::load(context, golden.config, golden.weights(), {.towers = Towers::text_only});
  std::vector<float> got(golden.text_features.size());
  model->encode_text(context, golden.ids, got.data());
  expect_features(got, golden.text_features);
  const std::vector<float> first = got;
  model->encode_text(context, golden.ids, got.data());
  EXPECT_EQ(got, first) << "weights as they are stored, then packed";
}

TEST_P(GoldenTest, BatchAndThreadsDoNotChangeTheResult) {
  const Golden golden(GetParam());
  const Context one(1), three(3);
  const auto model = Model::load(three, golden.config, golden.weights());
  const size_t dim = static_cast<size_t>(golden.config.embed_dim);
  std::vector<float> all(golden.ids.size() * dim), single(all.size());
  model->encode_text(three, golden.ids, all.data());
  for (size_t i = 0; i < golden.ids.size(); ++i)
    model->encode_text(one, {&golden.ids[i], 1}, &single[i * dim]);
  expect_features(single, all);
  std::vector<float> images(3 * dim), image(3 * dim);
  model->encode_image(three, golden.pixels.data(), 3, images.data());
  for (size_t i = 0; i < 3; ++i)
    model->encode_image(one, &golden.pixels[i * golden.pixels.size() / 3], 1, &image[i * dim]);
  expect_features(image, images);
}

// What texts share from their start on is computed once; nobody may see that, to the last bit.
TEST(ModelTest, SharedBeginningsAndEqualTextsChangeNoBit) {
  for (const char* name : {"plain", "eos_bf16", "causal_last"}) {
    const Golden golden(name);
    const Context context(2);
    const auto model =
        Model::load(context, golden.config, golden.weights(), {.towers = Towers::text_only});
    const std::vector<std::vector<int32_t>> ids = {
        {58, 3, 4, 5, 59}, {58, 7, 59}, {58, 3, 4, 59},    {58, 3, 4, 5, 59},
        {58, 59},          {58, 3, 59}, {58, 3, 4, 6, 59}, {58, 3, 4, 5, 6, 7, 59},
        {5, 9, 2},         {5, 9},      {58, 3, 59}};
    const size_t dim = static_cast<size_t>(golden.config.embed_dim);
    std::vector<float> all(ids.size() * dim), single(all.size());
    model->encode_text(context, ids, all.data());
    for (size_t i = 0; i < ids.size(); ++i)
      model->encode_text(Context(1), {&ids[i], 1}, &single[i * dim]);
    EXPECT_EQ(single, all) << name;
  }
}

// More texts than are computed at once.
TEST(ModelTest, ManyTextsChangeNoBit) {
  const Golden golden("plain");
  const Context context(2);
  const auto model =
      Model::load(context, golden.config, golden.weights(), {.towers = Towers::text_only});
  std::mt19937 random(1);
  std::vector<std::vector<int32_t>> ids(1500);
  for (std::vector<int32_t>& text : ids) {
    text = {58};
    for (size_t i = 1 + random() % 5; i > 0; --i)
      text.push_back(static_cast<int32_t>(random() % 50));
    text.push_back(59);
  }
  const size_t dim = static_cast<size_t>(golden.config.embed_dim);
  std::vector<float> all(ids.size() * dim), single(all.size());
  model->encode_text(context, ids, all.data());
  for (size_t i = 0; i < ids.size(); ++i)
    model->encode_text(Context(1), {&ids[i], 1}, &single[i * dim]);
  EXPECT_EQ(single, all);
}

INSTANTIATE_TEST_SUITE_P(
    Models, GoldenTest,
    testing::Values("plain", "scale_average_quick", "no_ln_pre_last", "eos_bf16", "causal_last",
                    "first_no_projection", "resnet_f16", "resnet_quick", "convnext_linear",
                    "convnext_mlp_bf16", "roberta_mean_mlp", "xlm_roberta_cls_linear_bf16",
                    "xlm_roberta_no_projection", "clipa", "metaclip2", "siglip", "siglip2",
                    "mobileclip2_l", "resized_up", "resized_down", "siglip_resized_up",
                    "siglip_resized_down", "eva01", "eva02", "eva02_enormous", "pe_core",
                    "pe_core_gigantic", "pe_core_resized_up", "mobileclip_s0", "mobileclip_s3",
                    "mobileclip_b", "mobileclip_b_resized_up"),
    [](const auto& info) { return std::string(info.param); });

TEST(ModelTest, ScaleAndBias) {
  const Golden golden("no_ln_pre_last");
  const auto model = Model::load(Context(1), golden.config, golden.weights());
  EXPECT_NEAR(model->logit_scale(), 1 / 0.07, 1e-4);
  ASSERT_TRUE(model->logit_bias().has_value());
  EXPECT_FLOAT_EQ(*model->logit_bias(), -10);
}

TEST(ModelTest, ListsEveryBadTensorAtOnce) {
  const Golden golden("plain");
  ModelConfig config = golden.config;
  config.vision.layers = 1;  // the file's second block is then too much
  config.vision.patch_size = 7;
  config.text.layers += 1;
  try {
    Model::load(Context(1), config, golden.weights());
    FAIL() << "no error";
  } catch (const ParseError& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("missing tensors: transformer.resblocks.2.ln_1.weight"));
    EXPECT_THAT(error.what(),
                testing::HasSubstr("unexpected tensors: visual.transformer.resblocks.1.attn"));
    EXPECT_THAT(error.what(), testing::HasSubstr(
                                  "visual.conv1.weight is [24, 3, 8, 8], should be [24, 3, 7, 7]"));
  }
}

TEST(ModelTest, RefusesTheTowerThatWasNotLoaded) {
  const Golden golden("plain");
  const Context context(1);
  const auto model =
      Model::load(context, golden.config, golden.weights(), {.towers = Towers::text_only});
  float out[16];
  EXPECT_THROW(model->encode_image(context, golden.pixels.data(), 1, out), InvalidArgument);
}

TEST(ModelTest, RefusesBadTexts) {
  const Golden golden("plain");
  const Context context(1);
  const auto model = Model::load(context, golden.config, golden.weights());
  float out[16];
  for (const std::vector<int32_t>& bad :
       {std::vector<int32_t>{}, std::vector<int32_t>(10, 1), {58, -1, 59}, {58, 60, 59}}) {
    const std::vector<std::vector<int32_t>> ids = {bad};
    EXPECT_THROW(model->encode_text(context, ids, out), InvalidArgument);
  }
}

TEST(ModelTest, RefusesTextsThatAreAllPadding) {
  const Golden golden("roberta_mean_mlp");
  const Context context(1);
  const auto model = Model::load(context, golden.config, golden.weights());
  float out[16];
  for (const std::vector<int32_t>& bad :
       {std::vector<int32_t>{}, std::vector<int32_t>(10, 5), {58, 60, 59}, {1, 1, 1}}) {
    const std::vector<std::vector<int32_t>> ids = {bad};
    EXPECT_THROW(model->encode_text(context, ids, out), InvalidArgument);
  }
}

TEST(ModelTest, PaddingChangesNothingForTransformers) {
  const Golden golden("roberta_mean_mlp");
  const Context context(1);
  const auto model = Model::load(context, golden.config, golden.weights());
  std::vector<float> padded(16), plain(16);
  const std::vector<std::vector<int32_t>> with = {{58, 7, 59, 1, 1, 1}}, without = {{58, 7, 59}};
  model->encode_text(context, with, padded.data());
  model->encode_text(context, without, plain.data());
  EXPECT_EQ(padded, plain);
}

TEST(ModelTest, ManyThreadsAtOnce) {
  const Golden golden("plain");
  const Context context(2);
  const auto model = Model::load(context, golden.config, golden.weights());
  std::vector<std::vector<float>> images(4), texts(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < images.size(); ++i) {
    images[i].resize(golden.image_features.size());
    texts[i].resize(golden.text_features.size());
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round) {
        model->encode_image(context, golden.pixels.data(), 3, images[i].data());
        model->encode_text(context, golden.ids, texts[i].data());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(images[i], images[0]);
    EXPECT_EQ(texts[i], texts[0]);
  }
  expect_features(images[0], golden.image_features);
  expect_features(texts[0], golden.text_features);
}

TEST(ModelTest, NothingIsFine) {
  const Golden golden("resnet_f16");
  const Context context(1);
  const auto model = Model::load(context, golden.config, golden.weights());
  model->encode_image(context, nullptr, 0, nullptr);
  model->encode_text(context, {}, nullptr);
}

}  // namespace
}  // namespace openclip
