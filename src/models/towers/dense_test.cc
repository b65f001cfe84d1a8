// Features of places against Python's towers, read after the papers (tools/goldens/dense.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "io/safetensors.h"
#include "models/model.h"
#include "models/test_util.h"

namespace openclip {
namespace {

const std::string kGoldenFolder = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/";

const std::vector<std::pair<std::string, DenseReading>> kReadings = {
    {"clearclip", DenseReading::clearclip},
    {"naclip", DenseReading::naclip},
    {"sclip", DenseReading::sclip},
    {"values", DenseReading::values},
    {"pooled", DenseReading::pooled}};

std::shared_ptr<const Model> load(const std::string& name) {
  const std::string stem = kGoldenFolder + (name == "coca" ? "coca/pooled" : "towers/" + name);
  return Model::load(Context(2),
                     parse_model_config(read_text_file(stem + ".json", 1 << 20), name, name),
                     stem + ".safetensors", {.towers = Towers::image_only});
}

class DenseTest : public testing::TestWithParam<const char*> {};

TEST_P(DenseTest, EqualsPython) {
  const SafetensorsFile golden = SafetensorsFile::open(kGoldenFolder + "dense.safetensors");
  const std::string name = GetParam();
  const auto model = load(name);
  const TensorView& view = golden.tensor(name + ".pixels");
  const std::vector<float> pixels = values<float>(view);
  size_t tried = 0;
  for (const auto& [reading, value] : kReadings) {
    const DenseInput input{pixels.data(), view.shape[1], view.shape[2], value};
    const auto found = golden.tensors().find(name + "." + reading);
    if (found == golden.tensors().end()) {
      std::vector<float> out(pixels.size());
      EXPECT_THROW(model->encode_dense(Context(1), input, out.data()), Unsupported) << reading;
      continue;
    }
    const std::vector<float> want = values<float>(found->second);
    std::vector<float> got(want.size());
    model->encode_dense(Context(2), input, got.data());
    // As golden_test.cc: sums of up to about 100 products in some 20 layers after one another,
    // relative to the largest feature.
    float largest = 0;
    for (const float x : want) largest = std::max(largest, std::abs(x));
    const double tolerance = largest * std::numeric_limits<float>::epsilon() * 10 * std::sqrt(20.0);
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], want[i], tolerance) << reading << " element " << i;
    ++tried;
  }
  EXPECT_GE(tried, size_t{1});
}

INSTANTIATE_TEST_SUITE_P(Models, DenseTest,
                         testing::Values("plain", "siglip", "resnet_f16", "resnet_quick",
                                         "convnext_linear", "coca"),
                         [](const auto& info) { return std::string(info.param); });

TEST(DenseSidesTest, RefusesSidesThatDoNotFit) {
  const auto model = load("plain");
  const std::vector<float> pixels(3 * 40 * 40);
  std::vector<float> out(16 * 25);
  EXPECT_EQ(model->dense_stride(), 8);
  EXPECT_THROW(model->encode_dense(Context(1), {pixels.data(), 20, 40}, out.data()),
               InvalidArgument);
  EXPECT_THROW(model->encode_dense(Context(1), {pixels.data(), 0, 40}, out.data()),
               InvalidArgument);
}

}  // namespace
}  // namespace openclip
