// OWL-ViT and OWLv2 against transformers (tools/goldens/owl.py), from the folder and the picture
// on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "image/preprocess.h"
#include "io/safetensors.h"
#include "models/factory.h"
#include "models/preprocess_config.h"
#include "models/test_util.h"

namespace openclip {
namespace {

const std::string kRoot = std::string(OPENCLIP_SOURCE_DIR) + "/";

// Sums of up to 50 products in about 30 layers after one another, relative to the largest number.
void expect_near(const std::vector<float>& got, const std::vector<float>& want,
                 const std::string& what, double factor = 1) {
  ASSERT_EQ(got.size(), want.size()) << what;
  float largest = 0;
  for (const float value : want) largest = std::max(largest, std::abs(value));
  const double tolerance =
      factor * largest * std::numeric_limits<float>::epsilon() * std::sqrt(50.0) * std::sqrt(30.0);
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i], tolerance) << what << " element " << i;
}

class OwlTest : public testing::TestWithParam<const char*> {
 protected:
  OwlTest()
      : golden_(
            SafetensorsFile::open(kRoot + "tests/golden/owl/" + GetParam() + ".io.safetensors")),
        source_(find_model({.model = kRoot + "tests/golden/owl/" + GetParam(), .pretrained = ""})),
        model_(load_model(context_, source_)) {}

  std::vector<float> pixels_of(const std::string& path) const {
    const PreprocessConfig config = preprocess_config(source_.config);
    std::vector<float> out(size_t{3} * static_cast<size_t>(config.height) *
                           static_cast<size_t>(config.width));
    preprocess(decode_image(read_file(kRoot + path, 1 << 24), path), config, out.data());
    return out;
  }
  int64_t dim() const { return model_->config().embed_dim; }

  Context context_{2};
  SafetensorsFile golden_;
  ModelSource source_;
  std::shared_ptr<const Model> model_;
};

TEST_P(OwlTest, PixelsEqualTheProcessors) {
  // About 3 roundings in each of 4 passes, of numbers up to 2.7 in size.
  expect_near(pixels_of("tests/golden/image/coffee.jpg"), values<float>(golden_, "pixels"),
              "pixels");
  expect_near(pixels_of("samples/cat.png"), values<float>(golden_, "query_pixels"), "query_pixels");
}

TEST_P(OwlTest, PredictionsEqualTransformers) {
  const std::vector<int32_t> ids = values<int32_t>(golden_, "ids");
  const std::vector<int32_t> lengths = values<int32_t>(golden_, "lengths");
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const auto row = ids.begin() + static_cast<int64_t>(i * 16);
    texts.emplace_back(row, row + lengths[i]);
  }
  std::vector<float> queries(texts.size() * static_cast<size_t>(dim()));
  model_->encode_text(context_, texts, queries.data());
  const std::vector<float> pixels = values<float>(golden_, "pixels");
  const BoxPredictions got = model_->predict_boxes(
      context_, pixels.data(), {queries.data(), static_cast<int64_t>(texts.size()), dim()});
  // Logits multiply two sums.
  expect_near(got.logits, values<float>(golden_, "logits"), "logits", 4);
  expect_near(got.boxes, values<float>(golden_, "boxes"), "boxes", 4);
  if (source_.config.boxes == BoxHeads::owlv2)
    expect_near(got.objectness, values<float>(golden_, "objectness"), "objectness", 4);
  else
    EXPECT_TRUE(got.objectness.empty());
}

TEST_P(OwlTest, AnExampleAsksLikeTransformers) {
  const std::vector<float> query =
      model_->box_query(context_, values<float>(golden_, "query_pixels").data());
  expect_near(query, values<float>(golden_, "query"), "query", 4);
  const BoxPredictions got = model_->predict_boxes(
      context_, values<float>(golden_, "pixels").data(), {query.data(), 1, dim()});
  expect_near(got.logits, values<float>(golden_, "query_logits"), "query_logits", 8);
}

TEST_P(OwlTest, RefusesQueriesOfAnotherSize) {
  const std::vector<float> pixels = values<float>(golden_, "pixels"), query(8);
  EXPECT_THROW(model_->predict_boxes(context_, pixels.data(), {query.data(), 1, 8}),
               InvalidArgument);
  EXPECT_THROW(model_->predict_boxes(context_, pixels.data(), {query.data(), 0, dim()}),
               InvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Models, OwlTest, testing::Values("owlvit", "owlv2"),
                         [](const auto& info) { return std::string(info.param); });

TEST(OwlModelTest, APlainClipHasNoHeads) {
  const ModelSource source =
      find_model({.model = kRoot + "tests/golden/tiny_model", .pretrained = ""});
  const auto model = load_model(Context(1), source);
  const std::vector<float> pixels(3 * 64 * 64);
  EXPECT_THROW(model->box_query(Context(1), pixels.data()), InvalidArgument);
}

}  // namespace
}  // namespace openclip
