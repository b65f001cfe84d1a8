#include "tasks/zero_shot.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(ZeroShotTest, RefusesSizesThatDoNotFit) {
  const auto model = golden_model("plain");
  EXPECT_THROW(ZeroShotClassifier({"a", "b"}, std::vector<float>(3), *model), InvalidArgument);
  EXPECT_THROW(ZeroShotClassifier({}, {}, *model), InvalidArgument);
}

}  // namespace
}  // namespace openclip
