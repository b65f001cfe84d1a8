#include "tasks/label_judge.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "models/factory.h"

namespace openclip {
namespace {

constexpr size_t kFeatureDim = 16;  // of the tiny model

std::shared_ptr<const Model> tiny() {
  const ModelSource source = find_model(
      {.model = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/tiny_model", .pretrained = ""});
  return load_model(Context(1), source);
}

// Unit vectors along some axes, one after the other.
std::vector<float> axes(std::initializer_list<size_t> numbers) {
  std::vector<float> out;
  for (const size_t number : numbers) {
    out.resize(out.size() + kFeatureDim);
    out[out.size() - kFeatureDim + number] = 1;
  }
  return out;
}

TEST(LabelJudgeTest, MarginsAreLogitsLessTheMeanOfDistractors) {
  const auto model = tiny();
  const LabelJudge judge(Context(1), axes({0, 1}), axes({2, 3}), *model);
  std::vector<float> feature(kFeatureDim);
  feature[0] = 3, feature[1] = 4, feature[2] = 2;
  const double length = std::sqrt(29.0), scale = model->logit_scale();
  const double chance = 3 * std::sqrt(2 * std::log(2.0));
  const auto margins = judge.margins(Context(1), {feature.data(), 1, kFeatureDim});
  ASSERT_EQ(margins.size(), size_t{2});
  EXPECT_NEAR(margins[0], scale * (3 - 1) / length - chance, 1e-4);
  EXPECT_NEAR(margins[1], scale * (4 - 1) / length - chance, 1e-4);
}

TEST(LabelJudgeTest, LengthsOfFeaturesDoNotCount) {
  const auto model = tiny();
  const LabelJudge judge(Context(1), axes({0}), axes({1, 2}), *model);
  std::vector<float> features = axes({0, 0, 1});
  for (size_t i = 0; i < kFeatureDim; ++i) features[i] *= 100;
  const auto margins = judge.margins(Context(1), {features.data(), 3, kFeatureDim});
  EXPECT_NEAR(margins[0], margins[1], 1e-5);
  EXPECT_GT(margins[1], margins[2]);
}

TEST(LabelJudgeTest, ThereMustBeALabelButNoDistractor) {
  const auto model = tiny();
  const LabelJudge judge(Context(1), axes({0}), {}, *model);
  const std::vector<float> feature = axes({0});
  EXPECT_NEAR(judge.margins(Context(1), {feature.data(), 1, kFeatureDim})[0], model->logit_scale(),
              1e-4);
  EXPECT_EQ(judge.labels(), size_t{1});
  EXPECT_THROW(LabelJudge(Context(1), {}, axes({0}), *model), InvalidArgument);
}

}  // namespace
}  // namespace openclip
