// Heads, rules and neighbours; the command is tested in tests/e2e/curate_test.py.
#include <gmock/gmock.h>

#include <filesystem>
#include <numeric>
#include <random>

#include "base/error.h"
#include "io/safetensors.h"
#include "tasks/curate/caption_features.h"
#include "tasks/curate/columns.h"
#include "tasks/curate/feature_head.h"
#include "tasks/curate/neighbours.h"
#include "tasks/curate/outlines.h"
#include "tasks/features.h"
#include "tasks/test_util.h"

namespace openclip {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class HeadTest : public testing::Test {
 protected:
  void add(const std::string& name, std::vector<int64_t> shape, std::vector<float> values) {
    values_.push_back(std::move(values));
    names_.push_back(name);
    shapes_.push_back(std::move(shape));
  }
  FeatureHead open(int64_t dim) {
    std::vector<NamedTensor> tensors;
    for (size_t i = 0; i < names_.size(); ++i)
      tensors.push_back({.name = names_[i],
                         .view = {.dtype = DType::f32,
                                  .shape = shapes_[i],
                                  .bytes = {reinterpret_cast<const uint8_t*>(values_[i].data()),
                                            values_[i].size() * sizeof(float)}}});
    write_safetensors(path_, tensors);
    return FeatureHead::open(Context(1), path_, dim);
  }
  void TearDown() override { std::filesystem::remove(path_); }

 private:
  std::string path_ = testing::TempDir() + "/" +
                      testing::UnitTest::GetInstance()->current_test_info()->name() +
                      ".safetensors";
  std::vector<std::string> names_;
  std::vector<std::vector<int64_t>> shapes_;
  std::vector<std::vector<float>> values_;
};

TEST_F(HeadTest, OneLayer) {
  add("weight", {1, 2}, {2, -1});
  add("bias", {1}, {0.5f});
  EXPECT_THAT(open(2).scores(Context(1), std::vector<float>{1, 0, 0, 1}),
              testing::ElementsAre(2.5f, -0.5f));
}

TEST_F(HeadTest, NumbersTellWhereAReluLies) {
  // -1 -> [-1, 1]: with a ReLU between (three apart) the first is cut off.
  add("layers.0.weight", {2, 1}, {1, -1});
  add("layers.0.bias", {2}, {0, 0});
  add("layers.3.weight", {2, 2}, {1, 0, 0, 1});
  add("layers.3.bias", {2}, {0, 0});
  add("layers.5.weight", {1, 2}, {10, 1});
  add("layers.5.bias", {1}, {0});
  EXPECT_THAT(open(1).scores(Context(1), std::vector<float>{-1}), testing::ElementsAre(1.0f));
}

TEST_F(HeadTest, WhatIsNoHeadIsRefused) {
  add("layers.0.weight", {2, 3}, std::vector<float>(6));
  add("layers.0.bias", {2}, {0, 0});
  EXPECT_THAT([&] { open(4); }, ThrowsMessage<ParseError>(HasSubstr("must take 4 numbers")));
  EXPECT_THAT([&] { open(3); }, ThrowsMessage<ParseError>(HasSubstr("ends with 2 numbers")));
  add("layers.1.weight", {1, 2}, {0, 0});
  EXPECT_THAT([&] { open(3); }, ThrowsMessage<ParseError>(HasSubstr("layers.1.bias")));
}

TEST_F(HeadTest, OtherTensorsAreNoHead) {
  add("layers.x.weight", {1, 1}, {0});
  EXPECT_THAT([&] { open(1); }, ThrowsMessage<ParseError>(HasSubstr("it is no head")));
}

// Rows near `groups` directions: as features of pictures, few of all rows are near each other.
std::vector<float> grouped_rows(int64_t count, int64_t dim, int64_t groups, float spread) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> centres(groups * dim), rows(count * dim);
  for (float& x : centres) x = normal(random);
  for (int64_t i = 0; i < count * dim; ++i)
    rows[i] = centres[i / dim % groups * dim + i % dim] + spread * normal(random);
  normalize_rows(rows, dim);
  return rows;
}

void expect_what_all_pairs_give(const std::vector<float>& rows, int64_t dim) {
  const auto count = static_cast<int64_t>(rows.size()) / dim;
  NeighbourSet set(dim);
  for (int64_t begin = 0; begin < count; begin += 1000)
    set.add(Context(2),
            std::span(rows).subspan(begin * dim, std::min<int64_t>(1000, count - begin) * dim));
  ASSERT_EQ(set.size(), count);
  // Every ninth, turned a little away from its own row.
  std::vector<float> queries;
  for (int64_t i = 0; i < count; i += 9)
    for (int64_t j = 0; j < dim; ++j)
      queries.push_back(rows[i * dim + j] + 0.3f * rows[(i + 7) % count * dim + (j + 1) % dim]);
  normalize_rows(queries, dim);
  const auto found = set.nearest(Context(2), queries);
  for (size_t q = 0; q < found.size(); ++q) {
    double best = -2;
    for (int64_t r = 0; r < count; ++r)
      best = std::max(best, std::inner_product(rows.begin() + r * dim, rows.begin() + (r + 1) * dim,
                                               queries.begin() + q * dim, 0.0));
    ASSERT_NEAR(found[q].cosine, best, 1e-6) << "query " << q;
    EXPECT_NEAR(
        std::inner_product(rows.begin() + found[q].row * dim,
                           rows.begin() + (found[q].row + 1) * dim, queries.begin() + q * dim, 0.0),
        best, 1e-6);
  }
}

TEST(NeighboursTest, AnEmptySetHasNone) {
  EXPECT_EQ(NeighbourSet(2).nearest(Context(2), std::vector<float>{1, 0})[0].row, -1);
}

TEST(NeighboursTest, FindWhatAllPairsGive) {
  for (const int64_t dim : {2, 8, 64, 100, 300}) {
    SCOPED_TRACE(dim);
    expect_what_all_pairs_give(grouped_rows(500, dim, 500, 0), dim);  // less than a block
    expect_what_all_pairs_give(grouped_rows(6000, dim, 6000, 0), dim);
    expect_what_all_pairs_give(grouped_rows(6000, dim, 40, 0.5f), dim);
    // The sample that directions are chosen by has fewer of its own than are asked for.
    expect_what_all_pairs_give(grouped_rows(1700, dim, 3, 0), dim);
  }
}

TEST(NeighboursTest, OfEqualsTheEarliestIsFound) {
  NeighbourSet set(100);
  const std::vector<float> rows = grouped_rows(3000, 100, 1100, 0);
  set.add(Context(1), rows);
  const auto found = set.nearest(Context(3), rows);
  for (int64_t i = 0; i < 3000; ++i) EXPECT_EQ(found[i].row, i % 1100);
}

TEST(OutlinesTest, BoundCosinesClosely) {
  constexpr int64_t kDim = 200;
  const std::vector<float> rows = grouped_rows(700, kDim, 30, 0.3f);
  const Context context(1);
  const Outlines outlines(context, std::span(rows).first(500 * kDim), kDim);
  const std::vector<float> of_rows = outlines.of(context, rows);
  const int64_t size = outlines.size();
  double excess = 0;
  for (int64_t i = 0; i < 700; ++i)
    for (int64_t j = 0; j < 700; ++j) {
      const double bound =
          std::inner_product(of_rows.begin() + i * size, of_rows.begin() + (i + 1) * size,
                             of_rows.begin() + j * size, 0.0);
      const double cosine = std::inner_product(
          rows.begin() + i * kDim, rows.begin() + (i + 1) * kDim, rows.begin() + j * kDim, 0.0);
      ASSERT_GE(bound, cosine - outlines.slack());
      excess += (bound - cosine) / (700 * 700);
    }
  EXPECT_LT(excess, 0.15);  // noise is a part of 0.09 of the squared lengths
}

TEST(RulesTest, EachRuleLeavesOutWhatBreaksIt) {
  CurateRow row;
  row.caption = "猫と犬";
  row.width = 200;
  row.height = 100;
  row.bytes = 1000;
  row.watermark = 0.7;
  const auto broken = [&](auto set) {
    CurateRules rules;
    set(rules);
    return broken_plain_rule(rules, row) + broken_model_rule(rules, row);
  };
  EXPECT_EQ(broken([](CurateRules&) {}), "");
  EXPECT_EQ(broken([](CurateRules& r) { r.min_side = 101; }), "side");
  EXPECT_EQ(broken([](CurateRules& r) { r.min_side = 100; }), "");
  EXPECT_EQ(broken([](CurateRules& r) { r.max_aspect = 1.9; }), "aspect");
  EXPECT_EQ(broken([](CurateRules& r) { r.min_bytes = 1001; }), "bytes");
  EXPECT_EQ(broken([](CurateRules& r) { r.min_caption = 4; }), "caption_short");  // not 9 bytes
  EXPECT_EQ(broken([](CurateRules& r) { r.max_caption = 2; }), "caption_long");
  EXPECT_EQ(broken([](CurateRules& r) { r.max_watermark = 0.6; }), "watermark");
  row.similarity = 0.27;
  row.aesthetic = 4.9;
  row.unsafe = 0.6;
  row.contaminated = 0.97;
  row.duplicate = 0.98;
  EXPECT_EQ(broken([](CurateRules&) {}), "");
  EXPECT_EQ(broken([](CurateRules& r) { r.min_similarity = 0.28; }), "similarity");
  EXPECT_EQ(broken([](CurateRules& r) { r.min_aesthetic = 5; }), "aesthetic");
  EXPECT_EQ(broken([](CurateRules& r) { r.max_unsafe = 0.5; }), "unsafe");
  EXPECT_EQ(broken([](CurateRules& r) { r.contaminated = 0.96; }), "contaminated");
  EXPECT_EQ(broken([](CurateRules& r) { r.duplicate = 0.98; }), "duplicate");
}

TEST(ColumnsTest, ComeBackAsTheyWere) {
  CurateRow row;
  row.key = "k";
  row.reason = "similarity";
  row.width = 3;
  row.similarity = 0.25;
  const CurateRow back = row_from_json("x", Json(row_to_json(row)));
  EXPECT_EQ(back.key, "k");
  EXPECT_EQ(back.reason, "similarity");
  EXPECT_EQ(back.width, 3);
  EXPECT_EQ(back.similarity, 0.25);
  EXPECT_FALSE(back.unsafe);
  EXPECT_THROW(row_from_json("x", Json::parse("{}")), ParseError);
}

// A token for each letter.
class Letters final : public Tokenizer {
 public:
  std::string decode(const std::vector<int32_t>&) const override { return ""; }
  int context_length() const override { return 9; }
  int vocab_size() const override { return 60; }
  int32_t start_id() const override { return 58; }
  int32_t end_id() const override { return 59; }
  int32_t pad_id() const override { return 0; }

 protected:
  void append_tokens(std::string_view text, size_t, std::vector<int32_t>* ids) const override {
    for (const char letter : text) ids->push_back(letter - 'a');
  }
};

class CaptionFeaturesTest : public testing::Test {
 protected:
  std::vector<float> alone(const std::string& caption) const {
    return encode_texts(context_, *model_, letters_, std::vector<std::string>{caption});
  }

  void check(CaptionFeatures& features, const std::vector<std::string>& captions) const {
    std::vector<float> wanted;
    for (const std::string& caption : captions)
      for (const float x : alone(caption)) wanted.push_back(x);
    EXPECT_EQ(features.of(captions), wanted);
  }

  Context context_{1};
  Letters letters_;
  std::shared_ptr<const Model> model_ = golden_model("plain");
};

TEST_F(CaptionFeaturesTest, ComputesEachCaptionOnce) {
  CaptionFeatures features(context_, *model_, letters_);
  check(features, {"ab", "cd", "ab"});
  EXPECT_EQ(features.encoded(), 2u);
  check(features, {"ef", "ab", "", "cd"});
  EXPECT_EQ(features.encoded(), 4u);
  check(features, {});
  EXPECT_EQ(features.encoded(), 4u);
}

TEST_F(CaptionFeaturesTest, ForgetsAtItsLimit) {
  CaptionFeatures features(context_, *model_, letters_, 300);
  for (const char* caption : {"a", "b", "c", "d", "a"}) check(features, {caption, caption});
  EXPECT_EQ(features.encoded(), 5u);  // "a" twice
}

TEST_F(CaptionFeaturesTest, AnErrorLeavesNothingBehind) {
  CaptionFeatures features(context_, *model_, letters_);
  EXPECT_THROW(features.of(std::vector<std::string>{"a", "A"}), InvalidArgument);  // no letter
  check(features, {"a", "b"});
}

}  // namespace
}  // namespace openclip
