#include "tasks/label_judge.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "models/factory.h"

namespace openclip {
namespace {

constexpr size_t kDim = 16;  // of the tiny model

std::shared_ptr<const Model> tiny() {
  const ModelSource source = find_model(
      {.model = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/tiny_model", .pretrained = ""});
  return load_model(Context(1), source);
}

// Unit vectors along some axes, one after the other.
std::vector<float> axes(std::initializer_list<size_t> numbers) {
  std::vector<float> out;
  for (const size_t number : numbers) {
    out.resize(out.size() + kDim);
    out[out.size() - kDim + number] = 1;
  }
  return out;
}

TEST(LabelJudgeTest, MarginsAreLogitsAgainstEverythingElse) {
  const auto model = tiny();
  const LabelJudge judge(Context(1), axes({0, 1}), axes({2, 3}), *model, 0.9);
  std::vector<float> feature(kDim);
  feature[0] = 3, feature[1] = 4, feature[2] = 2;
  const double length = std::sqrt(29.0), scale = model->logit_scale();
  const auto margins = judge.margins(Context(1), {feature.data(), 1, kDim});
  ASSERT_EQ(margins.size(), size_t{2});
  const auto part = [&](double value) { return std::exp(scale * value / length); };
  const double all = part(3) + part(4) + part(2) + part(0);
  EXPECT_NEAR(probability_of(margins[0]), part(3) / all, 1e-5);
  EXPECT_NEAR(probability_of(margins[1]), part(4) / all, 1e-5);
}

TEST(LabelJudgeTest, MarginsDoNotSaturate) {
  const auto model = tiny();
  const LabelJudge judge(Context(1), axes({0}), axes({1, 2}), *model, 0.9);
  const std::vector<float> feature = axes({0});
  const double scale = model->logit_scale();
  EXPECT_NEAR(judge.margins(Context(1), {feature.data(), 1, kDim})[0], scale - std::log(2.0),
              1e-4 * scale);
}

TEST(LabelJudgeTest, DistractorsLikeALabelAreLeftOut) {
  const auto model = tiny();
  const LabelJudge with(Context(1), axes({0}), axes({1}), *model, 0.9);
  const LabelJudge same(Context(1), axes({0}), axes({0, 1}), *model, 0.9);
  const std::vector<float> feature = axes({0});
  EXPECT_EQ(with.margins(Context(1), {feature.data(), 1, kDim}),
            same.margins(Context(1), {feature.data(), 1, kDim}));
  EXPECT_THROW(LabelJudge(Context(1), {}, axes({0}), *model, 0.9), InvalidArgument);
}

}  // namespace
}  // namespace openclip
