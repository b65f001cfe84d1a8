// The C++ API as its users see it: public headers only, numbers of Python's open_clip
// (tools/goldens/tiny_features.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openclip/clip.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kRoot = OPENCLIP_SOURCE_DIR;
const std::string kTiny = "local-dir:" + kRoot + "/tests/golden/tiny_model";

// f32 towers of two blocks: eps * sqrt(width of the longest sum) * some ten operations.
constexpr float kTolerance = 2e-5f;

json golden() {
  std::ifstream file(kRoot + "/tests/golden/tiny_features.json");
  return json::parse(file);
}

std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Calls fn and returns the error it must throw, as (code, text).
template <class Fn>
std::pair<openclip::ErrorCode, std::string> error_of(Fn&& fn) {
  try {
    fn();
  } catch (const openclip::Error& error) {
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

void expect_rows(const openclip::Matrix& found, const json& expected) {
  ASSERT_EQ(found.rows, expected.size());
  for (std::size_t i = 0; i < found.rows; ++i) {
    const auto row = expected[i].get<std::vector<float>>();
    ASSERT_EQ(found.cols, row.size());
    for (std::size_t j = 0; j < row.size(); ++j) EXPECT_NEAR(found(i, j), row[j], kTolerance);
  }
}

TEST(ApiTest, FeaturesAreThoseOfOpenClip) {
  const json expected = golden();
  const auto [model, preprocess] = openclip::create_model_and_transforms(kTiny);
  const auto tokenizer = openclip::get_tokenizer(kTiny);
  std::vector<float> pixels;
  for (const auto& path : expected["images"]) {
    const auto one = preprocess(kRoot + "/" + path.get<std::string>());
    EXPECT_EQ(one.size(), preprocess.size());
    pixels.insert(pixels.end(), one.begin(), one.end());
  }
  expect_rows(model.encode_image(pixels, true), expected["image_features"]);

  const auto prompts = expected["prompts"].get<std::vector<std::string>>();
  const openclip::Tokens tokens = tokenizer(prompts);
  std::vector<std::int32_t> ids;
  for (const auto& row : expected["ids"])
    for (const std::int32_t id : row) ids.push_back(id);
  EXPECT_EQ(tokens.ids, ids);
  expect_rows(model.encode_text(tokens, true), expected["text_features"]);
}

TEST(ApiTest, NormalisingAfterwardsIsTheSame) {
  const auto [model, preprocess] = openclip::create_model_and_transforms(kTiny);
  const auto pixels = preprocess(kRoot + "/samples/cat.png");
  openclip::Matrix features = model.encode_image(pixels);
  openclip::normalize(features);
  EXPECT_EQ(features.values, model.encode_image(pixels, true).values);
}

TEST(ApiTest, ClassifierGivesOpenClipsProbabilities) {
  const json expected = golden();
  const auto [model, preprocess] = openclip::create_model_and_transforms(kTiny);
  const auto labels = expected["labels"].get<std::vector<std::string>>();
  const openclip::ZeroShotClassifier classifier(
      model, openclip::get_tokenizer(kTiny), labels,
      expected["templates"].get<std::vector<std::string>>());
  for (std::size_t i = 0; i < expected["images"].size(); ++i) {
    const auto pixels = preprocess(kRoot + "/" + expected["images"][i].get<std::string>());
    const openclip::Matrix features = model.encode_image(pixels);
    const auto scores = classifier.probabilities(features.row(0));
    for (std::size_t j = 0; j < labels.size(); ++j)
      EXPECT_NEAR(scores[j], expected["scores"][i][j].get<double>(), kTolerance);
    const auto best = classifier.top(features.row(0), 2);
    ASSERT_EQ(best.size(), 2u);
    EXPECT_EQ(best[0].score, *std::max_element(scores.begin(), scores.end()));
  }
}

TEST(ApiTest, PictureFromFileBytesAndPixelsIsTheSame) {
  const openclip::Preprocess preprocess({.height = 48, .width = 48});
  const std::string path = kRoot + "/tests/golden/image/rgb24.bmp";
  const auto bytes = read_bytes(path);
  const auto from_file = preprocess(path);
  EXPECT_EQ(from_file, preprocess(bytes));

  // A 24-bit BMP is rows of BGR, the bottom one first, padded to 4 bytes.
  const auto number = [&](std::size_t at) {
    return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
  };
  const int begin = number(10), width = number(18), height = number(22);
  ASSERT_GT(height, 0);
  const std::size_t stride = (3 * static_cast<std::size_t>(width) + 3) / 4 * 4;
  const std::size_t row_bytes = 3 * static_cast<std::size_t>(width) + 5;  // padding of our own
  std::vector<std::uint8_t> rgb(row_bytes * static_cast<std::size_t>(height), 77);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        rgb[static_cast<std::size_t>(y) * row_bytes + static_cast<std::size_t>(3 * x + c)] =
            bytes[static_cast<std::size_t>(begin) +
                  static_cast<std::size_t>(height - 1 - y) * stride +
                  static_cast<std::size_t>(3 * x + 2 - c)];
  openclip::ImageView view;
  view.pixels = rgb.data();
  view.width = width;
  view.height = height;
  view.row_bytes = row_bytes;
  EXPECT_EQ(from_file, preprocess(view));
}

TEST(ApiTest, OneTowerAlone) {
  const auto pixels =
      openclip::create_model_and_transforms(kTiny).preprocess(kRoot + "/samples/cat.png");
  const auto tokens = openclip::get_tokenizer(kTiny)("a cat");
  const auto image =
      openclip::create_model_and_transforms(kTiny, {.towers = openclip::Towers::image}).model;
  const auto text =
      openclip::create_model_and_transforms(kTiny, {.towers = openclip::Towers::text}).model;
  EXPECT_EQ(image.encode_image(pixels).rows, 1u);
  EXPECT_EQ(text.encode_text(tokens).rows, 1u);
  EXPECT_EQ(error_of([&] { image.encode_text(tokens); }).first,
            openclip::ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { text.encode_image(pixels); }).first,
            openclip::ErrorCode::invalid_argument);
}

TEST(ApiTest, OptionsOfThePreprocessing) {
  const auto [model, preprocess] = openclip::create_model_and_transforms(
      kTiny, {.image_mean = {{0, 0, 0}}, .image_resize_mode = "squash"});
  EXPECT_EQ(preprocess.options().resize_mode, "squash");
  EXPECT_EQ(preprocess.options().mean[1], 0);
  EXPECT_EQ(preprocess.options().std[1], 0.5f);
  EXPECT_EQ(preprocess.options().height, model.image_size());
  const auto refused =
      error_of([] { openclip::create_model_and_transforms(kTiny, {.image_resize_mode = "fit"}); });
  EXPECT_EQ(refused.first, openclip::ErrorCode::invalid_argument);
  EXPECT_THAT(refused.second, HasSubstr("'fit'"));
}

TEST(ApiTest, Facts) {
  const auto model = openclip::create_model_from_pretrained(kTiny).model;
  EXPECT_EQ(model.embed_dim(), 16u);
  EXPECT_EQ(model.image_size(), 32);
  EXPECT_EQ(model.context_length(), 16);
  EXPECT_NEAR(model.logit_scale(), std::log(20.0), 2e-3);  // stored as f16
  EXPECT_FALSE(model.logit_bias());
  EXPECT_EQ(json::parse(model.config()).at("embed_dim"), 16);
  EXPECT_STREQ(openclip::version(), OPENCLIP_VERSION);
  int major = 0, minor = 0, patch = 0;
  ASSERT_EQ(std::sscanf(OPENCLIP_VERSION, "%d.%d.%d", &major, &minor, &patch), 3);
  EXPECT_EQ(major * 10000 + minor * 100 + patch, OPENCLIP_VERSION_NUMBER);
}

TEST(ApiTest, Lists) {
  EXPECT_THAT(openclip::list_models(), testing::Contains("ViT-B-32"));
  EXPECT_THAT(openclip::list_pretrained(),
              testing::Contains(testing::Pair("ViT-B-32", "laion2b_s34b_b79k")));
  EXPECT_EQ(openclip::template_set("openai").size(), 80u);
}

TEST(ApiTest, TokensReportWhatWasCut) {
  const auto tokenizer = openclip::get_tokenizer(kTiny);
  const auto tokens = tokenizer({"a cat", std::string(100, 'x')});
  EXPECT_EQ(tokens.context_length, 16u);
  EXPECT_THAT(tokens.truncated, ElementsAre(1u));
  EXPECT_EQ(tokens.ids.back(), tokenizer.eot_token_id());
  EXPECT_EQ(tokenizer("a cat", 5).context_length, 5u);
  EXPECT_EQ(openclip::get_tokenizer(kTiny, {.context_length = 7})("a").ids.size(), 7u);
  const auto alone = tokenizer.encode("a cat");
  EXPECT_EQ(alone.size(), 2u);
  EXPECT_EQ(tokenizer.decode(alone), "a cat");
  EXPECT_EQ(tokenizer.encode(std::string(100, 'x')).size(), 100u);
}

TEST(ApiTest, ErrorsHaveCodesAndTypes) {
  using openclip::ErrorCode;
  const auto unknown = error_of([] { openclip::create_model_and_transforms("ViT-B-23"); });
  EXPECT_EQ(unknown.first, ErrorCode::not_found);
  EXPECT_THAT(unknown.second, HasSubstr("ViT-B-32"));
  EXPECT_THROW(openclip::get_tokenizer("local-dir:/nowhere"), openclip::NotFound);
  EXPECT_THROW(openclip::create_model_and_transforms(kTiny, {.precision = "fp16"}),
               openclip::Unsupported);
  EXPECT_THROW(openclip::create_model_and_transforms(kTiny, {.precision = "f7"}),
               openclip::InvalidArgument);
  const openclip::Preprocess preprocess;
  EXPECT_THROW(preprocess("/nowhere.png"), openclip::NotFound);
  EXPECT_THROW(preprocess(kRoot + "/README.md"), openclip::ParseError);
  EXPECT_THROW(preprocess(openclip::ImageView{}), openclip::InvalidArgument);
  const auto model = openclip::create_model_and_transforms(kTiny).model;
  EXPECT_THROW(model.encode_image(std::vector<float>(5)), openclip::InvalidArgument);
  EXPECT_THROW(model.encode_text(openclip::Tokens{1, 2, {0, -5}}), openclip::InvalidArgument);
  EXPECT_THROW(openclip::similarity({1, 2, {0, 0}}, {1, 3, {0, 0, 0}}), openclip::InvalidArgument);
}

TEST(ApiTest, CacheDirIsWhereTheHubsFilesAre) {
  namespace fs = std::filesystem;
  const fs::path cache = fs::path(testing::TempDir()) / "openclip-api-cache";
  const fs::path snapshot = cache / "models--org--tiny/snapshots/0123";
  fs::remove_all(cache);
  fs::create_directories(snapshot);
  fs::copy(kRoot + "/tests/golden/tiny_model", snapshot);
  const std::string folder = cache.string();
  setenv("HF_HUB_OFFLINE", "1", 1);
  const auto model =
      openclip::create_model_and_transforms("hf-hub:org/tiny", {.cache_dir = folder}).model;
  EXPECT_EQ(model.embed_dim(), 16u);
  EXPECT_EQ(openclip::get_tokenizer("hf-hub:org/tiny", {.cache_dir = folder}).context_length(), 16);
  fs::remove_all(cache);
}

TEST(ApiTest, NoPicturesAndNoTexts) {
  const auto model = openclip::create_model_and_transforms(kTiny).model;
  EXPECT_EQ(model.encode_image(std::vector<float>()).rows, 0u);
  EXPECT_EQ(model.encode_text(openclip::Tokens{}).rows, 0u);
}

TEST(ApiTest, SoftmaxAndSimilarity) {
  const openclip::Matrix a{1, 2, {1, 2}}, b{2, 2, {3, 4, 0, 1}};
  openclip::Matrix product = openclip::similarity(a, b, 10);
  EXPECT_THAT(product.values, ElementsAre(110, 20));
  openclip::softmax(product);
  EXPECT_FLOAT_EQ(product.values[0], 1);
  openclip::Matrix equal{1, 4, {1e30f, 1e30f, 1e30f, 1e30f}};
  openclip::softmax(equal);
  EXPECT_THAT(equal.values, ElementsAre(0.25, 0.25, 0.25, 0.25));
}

// A tensor of a safetensors file, as numbers of type T.
template <class T>
std::vector<T> tensor_of(const std::string& path, const std::string& name) {
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto begin = bytes.begin() + 8, data = begin + static_cast<std::ptrdiff_t>(length);
  const json entry = json::parse(begin, data).at(name).at("data_offsets");
  std::vector<T> out((entry[1].get<std::size_t>() - entry[0].get<std::size_t>()) / sizeof(T));
  std::memcpy(out.data(), &*data + entry[0].get<std::size_t>(), out.size() * sizeof(T));
  return out;
}

// Captions that Python's open_clip generates (tools/goldens/coca.py), padded there with -1.
TEST(ApiTest, GeneratesPythonsCaptions) {
  const std::string coca = kRoot + "/tests/golden/coca/pooled";
  const auto pixels = tensor_of<float>(coca + ".io.safetensors", "pixels");
  const auto model = openclip::create_model_and_transforms(
                         coca + ".json", {.pretrained = coca + ".safetensors", .threads = 2})
                         .model;
  openclip::GenerateOptions options{.seq_len = 16, .sot_token_id = 38, .eos_token_id = 39};
  const auto expect = [&](const std::string& name) {
    auto want = tensor_of<std::int32_t>(coca + ".io.safetensors", "generate." + name);
    for (std::int32_t& id : want) id = std::max(id, 0);
    const openclip::Tokens got = model.generate(pixels, options);
    EXPECT_EQ(got.rows, 6u);
    EXPECT_EQ(got.context_length, 16u);
    EXPECT_EQ(got.ids, want) << name;
  };
  expect("beam");
  options.repetition_penalty = 1.5;
  options.num_beam_groups = 2;
  options.min_seq_len = 8;
  expect("beam_penalty");
  options = {.generation_type = "top_k", .seq_len = 16, .sot_token_id = 38, .eos_token_id = 39};
  expect("greedy");

  const auto refused = [&](auto&& fn) { return error_of(fn).second; };
  options.generation_type = "best";
  EXPECT_THAT(refused([&] { model.generate(pixels, options); }), HasSubstr("got 'best'"));
  options = {.seq_len = 18};
  EXPECT_THAT(refused([&] { model.generate(pixels, options); }), HasSubstr("not 18"));
  EXPECT_THAT(refused([&] {
                model.generate({pixels.data(), 7}, {.seq_len = 16});
              }),
              HasSubstr("[generate] 7 numbers are no whole pictures"));
  const auto plain = openclip::create_model_and_transforms(kTiny).model;
  EXPECT_THAT(refused([&] { plain.generate(pixels); }), HasSubstr("writes no captions"));
  const auto half =
      openclip::create_model_and_transforms(
          coca + ".json", {.pretrained = coca + ".safetensors", .towers = openclip::Towers::image})
          .model;
  EXPECT_THAT(refused([&] { half.generate(pixels, {.seq_len = 16}); }),
              HasSubstr("need both towers"));
}

TEST(ApiTest, OneModelInManyThreads) {
  const auto made = openclip::create_model_and_transforms(kTiny, {.threads = 2});
  const auto tokenizer = openclip::get_tokenizer(kTiny);
  const auto run = [&] {
    auto values = made.model.encode_image(made.preprocess(kRoot + "/samples/cat.png")).values;
    const auto text = made.model.encode_text(tokenizer({"a cat", "a red heart"})).values;
    values.insert(values.end(), text.begin(), text.end());
    return values;
  };
  const auto expected = run();
  std::vector<std::vector<float>> found(8);
  std::vector<std::thread> threads;
  for (auto& slot : found) threads.emplace_back([&] { slot = run(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& values : found) EXPECT_EQ(values, expected);
}

}  // namespace
