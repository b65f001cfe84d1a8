#include "index/exact_search.h"

#include <algorithm>

#include "base/error.h"
#include "index/test_util.h"
#include "index/top_k.h"

namespace openclip {
namespace {

constexpr int64_t kDim = 40;
constexpr size_t kCount = 700;  // two blocks and a part

class ExactSearchTest : public testing::TestWithParam<DType> {
 protected:
  ExactSearchTest() {
    const std::string path = folder_.path() + "/v.ocv";
    VectorAppender::create(path, {GetParam(), kDim});
    std::vector<float> vectors = unit_rows(kCount, kDim, 5);
    for (const size_t copy : {100, 101, 400, 650})  // equal scores
      std::copy_n(vectors.begin(), kDim, vectors.begin() + static_cast<long>(copy * kDim));
    const std::vector<int64_t> ids(kCount, 1);
    VectorAppender(path, 0).append(vectors, ids);
    file_ = std::make_unique<VectorFile>(path, kCount);
  }

  // All slots by their scores in double precision.
  std::vector<SlotHit> scores(std::span<const float> query) const {
    std::vector<SlotHit> all;
    std::vector<float> row(kDim);
    for (uint64_t slot = 0; slot < kCount; ++slot) {
      file_->read(slot, row);
      double sum = 0;
      for (size_t j = 0; j < row.size(); ++j) sum += double{row[j]} * query[j];
      all.push_back({slot, static_cast<float>(sum)});
    }
    return all;
  }

  // The k best by `got` must be the k best by `want` but for scores within rounding.
  void expect_best(const std::vector<SlotHit>& got, std::vector<SlotHit> all, size_t k) const {
    ASSERT_EQ(got.size(), std::min(k, all.size()));
    const std::vector<SlotHit> by_slot = all;
    std::sort(all.begin(), all.end(), better);
    constexpr float kTolerance = 1e-6f;  // 40 products of numbers below 1
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i].score, all[i].score, kTolerance) << i;
      const auto same = std::find_if(by_slot.begin(), by_slot.end(),
                                     [&](const SlotHit& hit) { return hit.slot == got[i].slot; });
      ASSERT_NE(same, by_slot.end());
      EXPECT_NEAR(same->score, got[i].score, kTolerance) << i;
      if (i > 0) {
        EXPECT_TRUE(better(got[i - 1], got[i])) << i;
      }
    }
  }

  TemporaryFolder folder_;
  std::unique_ptr<VectorFile> file_;
};

TEST_P(ExactSearchTest, FindsTheBestOfAll) {
  for (const size_t queries : {1, 3, 4, 5, 64, 130}) {
    const std::vector<float> query = unit_rows(queries, kDim, 9);
    for (const size_t k : {size_t{1}, size_t{10}, kCount + 5}) {
      for (const int threads : {1, 3}) {
        const auto got = exact_search(Context(threads), *file_, query, k);
        ASSERT_EQ(got.size(), queries);
        for (size_t q = 0; q < queries; ++q)
          expect_best(got[q], scores(std::span(query).subspan(q * kDim, kDim)), k);
      }
    }
  }
}

TEST_P(ExactSearchTest, EqualScoresComeInTheOrderOfSlots) {
  std::vector<float> query(kDim);
  file_->read(0, query);
  for (const size_t copies : {1, 8}) {
    std::vector<float> queries;
    for (size_t i = 0; i < copies; ++i) queries.insert(queries.end(), query.begin(), query.end());
    for (const auto& hits : exact_search(Context(3), *file_, queries, 4)) {
      ASSERT_EQ(hits.size(), 4u);
      const std::vector<uint64_t> slots{hits[0].slot, hits[1].slot, hits[2].slot, hits[3].slot};
      EXPECT_EQ(slots, (std::vector<uint64_t>{0, 100, 101, 400}));
    }
  }
}

TEST_P(ExactSearchTest, OnlyAllowedSlots) {
  SlotSet allowed(kCount);
  for (const uint64_t slot : {3, 300, 301, 699}) allowed.add(slot);
  EXPECT_EQ(allowed.count(), 4u);
  for (const size_t queries : {1, 7}) {
    const std::vector<float> query = unit_rows(queries, kDim, 11);
    const auto got = exact_search(Context(2), *file_, query, 10, &allowed);
    for (size_t q = 0; q < queries; ++q) {
      std::vector<SlotHit> all = scores(std::span(query).subspan(q * kDim, kDim));
      std::erase_if(all, [&](const SlotHit& hit) { return !allowed.has(hit.slot); });
      expect_best(got[q], all, 10);
    }
  }
  const SlotSet none(kCount);
  EXPECT_TRUE(exact_search(Context(1), *file_, unit_rows(1, kDim, 1), 10, &none)[0].empty());
}

TEST_P(ExactSearchTest, SlotsBeforeTheFirstArePassedOver) {
  for (const uint64_t first :
       {uint64_t{0}, uint64_t{255}, uint64_t{256}, uint64_t{690}, uint64_t{kCount}}) {
    const std::vector<float> query = unit_rows(1, kDim, 12);
    std::vector<SlotHit> all = scores(query);
    std::erase_if(all, [&](const SlotHit& hit) { return hit.slot < first; });
    const auto got = exact_search(Context(2), *file_, query, 20, nullptr, first);
    ASSERT_EQ(got[0].size(), std::min<size_t>(20, all.size()));
    for (const SlotHit& hit : got[0]) EXPECT_GE(hit.slot, first);
    if (!all.empty()) {
      EXPECT_EQ(got[0][0].slot, std::min_element(all.begin(), all.end(), better)->slot);
    }
  }
}

TEST_P(ExactSearchTest, ZeroHitsAndBadSizes) {
  EXPECT_TRUE(exact_search(Context(1), *file_, unit_rows(1, kDim, 1), 0)[0].empty());
  EXPECT_TRUE(exact_search(Context(1), *file_, {}, 5).empty());
  EXPECT_THROW(exact_search(Context(1), *file_, unit_rows(1, kDim + 1, 1), 5), InvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Types, ExactSearchTest,
                         testing::Values(DType::f32, DType::f16, DType::i8));

TEST(SlotSetTest, AllButSome) {
  SlotSet slots(70, true);
  EXPECT_EQ(slots.count(), 70u);
  slots.remove(69);
  slots.remove(0);
  EXPECT_EQ(slots.count(), 68u);
  SlotSet other(70);
  other.add(0);
  other.add(5);
  slots.keep_only(other);
  EXPECT_EQ(slots.count(), 1u);
  EXPECT_TRUE(slots.has(5));
}

}  // namespace
}  // namespace openclip
