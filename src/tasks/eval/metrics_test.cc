// Metrics against CLIP_benchmark's and scikit-learn's (tools/goldens/eval.py).
#include "tasks/eval/metrics.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <string>

#include "base/error.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "tasks/eval/logistic_regression.h"
#include "tasks/eval/retrieval_metrics.h"
#include "tasks/features.h"

namespace openclip {
namespace {

const std::string kFolder = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/eval/";
constexpr int64_t kDim = 12;
constexpr int32_t kClasses = 7;

class EvalGoldenTest : public testing::Test {
 protected:
  template <class T>
  std::vector<T> values(const std::string& name) const {
    const TensorView& view = file_.tensor(name);
    std::vector<T> out(view.bytes.size() / sizeof(T));
    std::memcpy(out.data(), view.bytes.data(), view.bytes.size());
    return out;
  }
  std::vector<float> unit_rows(const std::string& name) const {
    std::vector<float> rows = values<float>(name);
    normalize_rows(rows, kDim);
    return rows;
  }
  // Cosines of all pictures with all classes.
  std::vector<float> scores() const {
    const LinearProbe classes{.weights = unit_rows("texts"), .bias = std::vector<float>(kClasses)};
    return probe_scores(context_, classes, unit_rows("images"), kDim);
  }
  double golden(const char* kind, const char* metric) const {
    return json_.at(kind).at(metric).get<double>();
  }

  Context context_;
  SafetensorsFile file_ = SafetensorsFile::open(kFolder + "metrics.safetensors");
  Json json_ = read_json_file(kFolder + "metrics.json");
};

TEST_F(EvalGoldenTest, Classification) {
  const std::vector<float> all = scores();
  const auto targets = values<int32_t>("targets");
  std::vector<int64_t> ranks;
  for (size_t i = 0; i < targets.size(); ++i)
    ranks.push_back(rank_of({all.data() + i * kClasses, kClasses}, targets[i]));
  const ClassificationMetrics metrics = classification_metrics(ranks, targets, kClasses);
  EXPECT_DOUBLE_EQ(metrics.acc1.value, golden("classification", "acc1"));
  EXPECT_DOUBLE_EQ(metrics.acc5.value, golden("classification", "acc5"));
  const Estimate recall = metrics.mean_per_class_recall;
  EXPECT_NEAR(recall.value, golden("classification", "mean_per_class_recall"), 1e-12);
  EXPECT_LT(recall.low, recall.value);
  EXPECT_GT(recall.high, recall.value);
  EXPECT_LT(recall.high - recall.low, 0.25);
}

TEST_F(EvalGoldenTest, SeveralLabelsAPicture) {
  EXPECT_NEAR(mean_average_precision(scores(), values<uint8_t>("many"), kClasses),
              golden("multilabel", "mean_average_precision"), 1e-6);  // there in f32
}

TEST_F(EvalGoldenTest, Retrieval) {
  const RetrievalRanks ranks = retrieval_ranks(context_, unit_rows("images"), unit_rows("captions"),
                                               kDim, values<int64_t>("owners"));
  for (const int k : {1, 5, 10}) {
    EXPECT_NEAR(recall_at(ranks.of_text, k).value,
                golden("retrieval", fmt::format("image_retrieval_recall@{}", k).c_str()), 1e-7);
    EXPECT_NEAR(recall_at(ranks.of_image, k).value,
                golden("retrieval", fmt::format("text_retrieval_recall@{}", k).c_str()), 1e-7);
  }
}

TEST_F(EvalGoldenTest, LogisticRegression) {
  const LinearProbe probe =
      fit_logistic_regression(context_, unit_rows("images"), kDim, values<int32_t>("targets"),
                              kClasses - 1, {.c = json_.at("probe_c"), .tolerance = 1e-7});
  EXPECT_TRUE(probe.converged);
  // The gradient is known to about 1e-7 in f32 and the penalty's curvature is 1 / (c n) = 1 / 105,
  // so the minimum is known to 1e-5 of what the worst direction allows.
  const auto weights = values<float>("probe_weights");
  ASSERT_EQ(probe.weights.size(), weights.size());
  for (size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(probe.weights[i], weights[i], 5e-5) << i;
  // The bias has no penalty, so its common shift is free; scikit-learn's sums to 0 as ours does.
  const auto bias = values<float>("probe_bias");
  for (size_t i = 0; i < bias.size(); ++i) EXPECT_NEAR(probe.bias[i], bias[i], 5e-5) << i;
}

TEST_F(EvalGoldenTest, LogisticRegressionDoesNotDependOnThreads) {
  const auto fit = [&](int threads) {
    return fit_logistic_regression(Context(threads), unit_rows("images"), kDim,
                                   values<int32_t>("targets"), kClasses)
        .weights;
  };
  EXPECT_EQ(fit(1), fit(3));
}

TEST(MetricsTest, RanksBreakTiesByIndex) {
  const std::vector<float> scores = {1, 3, 3, 2, 3};
  EXPECT_EQ(rank_of(scores, 1), 0);
  EXPECT_EQ(rank_of(scores, 2), 1);
  EXPECT_EQ(rank_of(scores, 4), 2);
  EXPECT_EQ(rank_of(scores, 3), 3);
  EXPECT_EQ(rank_of(scores, 0), 4);
}

TEST(MetricsTest, WilsonsInterval) {
  // scipy.stats.binomtest(8, 20).proportion_ci(method="wilson")
  const Estimate some = proportion(8, 20);
  EXPECT_DOUBLE_EQ(some.value, 0.4);
  EXPECT_NEAR(some.low, 0.21880653, 1e-7);
  EXPECT_NEAR(some.high, 0.61341850, 1e-7);
  EXPECT_DOUBLE_EQ(proportion(0, 5).low, 0);
  EXPECT_DOUBLE_EQ(proportion(5, 5).high, 1);
  EXPECT_TRUE(std::isnan(proportion(0, 0).value));
}

TEST(MetricsTest, FewClassesHaveNoTopFive) {
  const std::vector<int64_t> ranks = {0, 1};
  const std::vector<int32_t> targets = {0, 0};
  const ClassificationMetrics metrics = classification_metrics(ranks, targets, 4);
  EXPECT_TRUE(std::isnan(metrics.acc5.value));
  EXPECT_DOUBLE_EQ(metrics.mean_per_class_recall.value, 0.5);  // absent classes do not count
  EXPECT_THROW(classification_metrics(ranks, targets, 0), InvalidArgument);
  EXPECT_THROW(classification_metrics({}, targets, 4), InvalidArgument);
}

TEST(MetricsTest, PicturesWithoutCaptionsDoNotCount) {
  const std::vector<float> images = {1, 0, 0, 1}, texts = {1, 0};
  const RetrievalRanks ranks =
      retrieval_ranks(Context(1), images, texts, 2, std::vector<int64_t>{0});
  EXPECT_THAT(ranks.of_image, testing::ElementsAre(0, -1));
  EXPECT_DOUBLE_EQ(recall_at(ranks.of_image, 1).value, 1);
  EXPECT_THROW(retrieval_ranks(Context(1), images, texts, 2, std::vector<int64_t>{2}),
               InvalidArgument);
}

}  // namespace
}  // namespace openclip
