#include "tensor/segment_attention.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

class SegmentAttentionOpTest : public testing::Test {
 protected:
  static constexpr int64_t kTokens = 20, kWidth = 24;
  SegmentAttentionOpTest()
      : qkv_(kernels::Random(1).vector(kTokens * 3 * kWidth)), out_(kTokens * kWidth) {}
  ConstMatrix part(int64_t index) const {
    return ConstMatrix(qkv_.data(), kTokens, 3 * kWidth).columns(index * kWidth, kWidth);
  }
  void run(const SegmentSpans& spans, int64_t heads = 3) {
    attention(context_, workspace_, part(0), part(1), part(2), spans, {.heads = heads},
              Matrix(out_.data(), kTokens, kWidth));
  }

  Context context_{2};
  Workspace workspace_;
  std::vector<float> qkv_, out_;
};

TEST_F(SegmentAttentionOpTest, MatchesReference) {
  const SegmentSpans spans{{{0, 12, 0, 1, 12}, {12, 8, 1, 2, 13}}, {{0, 12}, {0, 5}, {12, 8}}};
  std::vector<float> want(out_.size());
  kernels::ref::segment_attention({3, 8, 1 / std::sqrt(8.0f), true},
                                  {part(0), part(1), part(2), Matrix(want.data(), kTokens, kWidth)},
                                  {spans.spans.data(), 2, spans.segments.data()});
  run(spans);
  kernels::expect_near(out_, want, kernels::sum_tolerance(8) + 16 * kernels::kEps);
}

TEST_F(SegmentAttentionOpTest, RejectsWrongArguments) {
  EXPECT_EQ(rejection([&] {
              run({{{0, 1, 0, 1, 1}}, {{0, 1}}}, 5);
            }),
            "[attention] heads must divide the width 24, got 5");
  EXPECT_EQ(rejection([&] {
              run({{{20, 1, 0, 1, 1}}, {{0, 1}}});
            }),
            "[attention] queries of a span must be some of 20 rows, got 1 from 20");
  EXPECT_EQ(rejection([&] {
              run({{{0, 1, 0, 2, 1}}, {{0, 1}}});
            }),
            "[attention] segments of a span must be some of 1, got 2 from 0");
  EXPECT_EQ(rejection([&] {
              run({{{0, 1, 0, 1, 3}}, {{18, 3}}});
            }),
            "[attention] keys of a segment must be some of 20 rows, got 3 from 18");
  EXPECT_EQ(rejection([&] {
              run({{{0, 2, 0, 1, 1}}, {{0, 1}}});
            }),
            "[attention] a span of 2 queries and 1 keys names segments of 1 keys");
}

}  // namespace
}  // namespace openclip
