// What texts become where large products go by Strassen's algorithm.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "models/model.h"
#include "models/random_weights.h"
#include "models/registry.h"

namespace openclip {
namespace {

using Ids = std::vector<int32_t>;

class StrassenModelTest : public testing::Test {
 protected:
  StrassenModelTest() : config_(registry_config("ViT-S-32")) {
    config_.text.vocab_size = 512;
    config_.text.layers = 4;
    std::mt19937 random(3);
    for (Ids& ids : texts_) {
      ids = {510};
      for (size_t i = 2 + random() % 6; i > 0; --i)
        ids.push_back(static_cast<int32_t>(random() % 500));
      ids.push_back(511);
    }
  }

  std::shared_ptr<const Model> load() const {
    const TemporaryWeights weights(config_);
    return Model::load(Context(2), config_, weights.path(), {.towers = Towers::text_only});
  }

  // Of length 1.
  std::vector<float> features(const Model& model, const Context& context,
                              std::span<const Ids> texts) const {
    const auto dim = static_cast<size_t>(config_.embed_dim);
    std::vector<float> out(texts.size() * dim);
    model.encode_text(context, texts, out.data());
    for (size_t begin = 0; begin < out.size(); begin += dim) {
      const std::span<float> row(&out[begin], dim);
      double square = 0;
      for (const float x : row) square += double(x) * x;
      for (float& x : row) x /= static_cast<float>(std::sqrt(square));
    }
    return out;
  }

  ModelConfig config_;
  std::vector<Ids> texts_ = std::vector<Ids>(400);
};

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(double(a[i]) - b[i]));
  return most;
}

TEST_F(StrassenModelTest, ChangesTheLastBitsAlone) {
  const auto model = load();
  const Context context(2);
  const double most = largest_difference(features(*model, context, texts_),
                                         features(*model, context.with_strassen(), texts_));
  EXPECT_GT(most, 0);  // it was in use
  EXPECT_LT(most, 1e-6);
}

TEST_F(StrassenModelTest, CompanyChangesTheLastBitsAlone) {
  const auto model = load();
  const Context context = Context(2).with_strassen();
  const std::vector<float> all = features(*model, context, texts_);
  EXPECT_LT(largest_difference(all, features(*model, context, std::span(texts_).first(203))), 1e-6);
}

// Weights that stay where they are until their second use, and other numbers of threads.
TEST_F(StrassenModelTest, TheSameTextsGiveTheSameBits) {
  const auto model = load();
  const std::vector<float> first = features(*model, Context(2).with_strassen(), texts_);
  EXPECT_EQ(first, features(*model, Context(2).with_strassen(), texts_));
  EXPECT_EQ(first, features(*model, Context(1).with_strassen(), texts_));
  EXPECT_EQ(first, features(*model, Context(5).with_strassen(), texts_));
}

}  // namespace
}  // namespace openclip
