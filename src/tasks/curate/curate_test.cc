// Heads, rules and neighbours; the command is tested in tests/e2e/curate_test.py.
#include <gmock/gmock.h>

#include <filesystem>
#include <random>

#include "base/error.h"
#include "io/safetensors.h"
#include "tasks/curate/columns.h"
#include "tasks/curate/feature_head.h"
#include "tasks/curate/neighbours.h"
#include "tasks/features.h"

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

TEST(NeighboursTest, FindWhatAllPairsGive) {
  constexpr int64_t kDim = 8;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> rows(3000 * kDim), queries(17 * kDim);
  for (float& x : rows) x = normal(random);
  for (float& x : queries) x = normal(random);
  normalize_rows(rows, kDim);
  normalize_rows(queries, kDim);
  NeighbourSet set(kDim);
  EXPECT_EQ(set.nearest(Context(2), queries)[0].row, -1);
  for (size_t begin = 0; begin < rows.size(); begin += 1000 * kDim)
    set.add(Context(2), std::span<const float>(rows).subspan(begin, 1000 * kDim));
  EXPECT_EQ(set.size(), 3000);
  const auto found = set.nearest(Context(2), queries);
  for (size_t q = 0; q < 17; ++q) {
    float best = -2;
    for (size_t r = 0; r < 3000; ++r) {
      float cosine = 0;
      for (int64_t i = 0; i < kDim; ++i) cosine += queries[q * kDim + i] * rows[r * kDim + i];
      best = std::max(best, cosine);
    }
    EXPECT_NEAR(found[q].cosine, best, 1e-6);
  }
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

}  // namespace
}  // namespace openclip
