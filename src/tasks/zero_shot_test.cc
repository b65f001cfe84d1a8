#include "tasks/zero_shot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "base/error.h"
#include "tasks/test_util.h"

namespace openclip {
namespace {

// Two labels along the first axes, and a picture that is as near to both: cosine 0.6.
std::vector<double> probabilities(const Model& model) {
  const auto dim = static_cast<size_t>(model.config().embed_dim);
  std::vector<float> vectors(2 * dim, 0.0f), image(dim, 0.0f);
  vectors[0] = vectors[dim + 1] = 1;
  image[0] = image[1] = 3;
  image[2] = std::sqrt(7.0f);
  return ZeroShotClassifier({"a", "b"}, vectors, model).probabilities(image);
}

TEST(ZeroShotTest, SoftmaxOverTheLabels) {
  for (const double score : probabilities(*golden_model("plain"))) EXPECT_DOUBLE_EQ(score, 0.5);
}

// open_clip's example for SigLIP: sigmoid(image @ text.T * logit_scale.exp() + logit_bias), here
// with scale 1 / 0.07 and bias -10.
TEST(ZeroShotTest, SigmoidOfEachLabelWithABias) {
  for (const double score : probabilities(*golden_model("siglip")))
    EXPECT_NEAR(score, 1 / (1 + std::exp(-(0.6 / 0.07 - 10))), 1e-6);
}

// A vector that depends on the prompt alone.
std::vector<float> made_up_features(const std::string& prompt, size_t dim) {
  std::vector<float> features(dim);
  size_t state = std::hash<std::string>()(prompt);
  for (float& x : features) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = static_cast<float>(state >> 40) / static_cast<float>(1 << 24) - 0.5f;
  }
  return features;
}

// Prompts are made in pieces and not in the order of labels and templates: each must still count
// once, for its own label.
TEST(ZeroShotTest, SumsEveryTemplateOfEachOfManyLabels) {
  const auto model = golden_model("plain");
  const auto dim = static_cast<size_t>(model->config().embed_dim);
  std::vector<std::string> labels, templates;
  for (int i = 0; i < 500; ++i) labels.push_back(std::to_string(i * 7919 % 1000));
  for (int i = 0; i < 70; ++i) templates.push_back(std::to_string(i * 31 % 70) + " {}.");
  size_t prompts_seen = 0;
  const auto encode = [&](std::span<const std::string> prompts) {
    prompts_seen += prompts.size();
    std::vector<float> all;
    for (const std::string& prompt : prompts)
      for (const float x : made_up_features(prompt, dim)) all.push_back(x);
    return all;
  };
  const ZeroShotClassifier classifier(encode, *model, labels, templates);
  EXPECT_EQ(prompts_seen, labels.size() * templates.size());
  for (size_t label = 0; label < labels.size(); ++label) {
    std::vector<double> sum(dim, 0.0);
    for (const std::string& text : templates) {
      const std::string prompt = text.substr(0, text.find("{}")) + labels[label] + ".";
      const std::vector<float> features = made_up_features(prompt, dim);
      for (size_t i = 0; i < dim; ++i) sum[i] += features[i];
    }
    double square = 0;
    for (const double x : sum) square += x * x;
    for (size_t i = 0; i < dim; ++i)
      ASSERT_NEAR(classifier.vectors()[label * dim + i], sum[i] / std::sqrt(square), 1e-5)
          << labels[label];
  }
}

TEST(ZeroShotTest, RefusesSizesThatDoNotFit) {
  const auto model = golden_model("plain");
  EXPECT_THROW(ZeroShotClassifier({"a", "b"}, std::vector<float>(3), *model), InvalidArgument);
  EXPECT_THROW(ZeroShotClassifier({}, {}, *model), InvalidArgument);
}

}  // namespace
}  // namespace openclip
