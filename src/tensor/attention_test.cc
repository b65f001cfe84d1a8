#include "tensor/attention.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"
#include "tensor/test_util.h"

namespace openclip {
namespace {

class AttentionOpTest : public testing::Test {
 protected:
  static constexpr int64_t kTokens = 30, kWidth = 24;
  AttentionOpTest()
      : qkv_(kernels::Random(1).vector(kTokens * 3 * kWidth)), out_(kTokens * kWidth) {}
  ConstMatrix part(int64_t index) const {
    return ConstMatrix(qkv_.data(), kTokens, 3 * kWidth).columns(index * kWidth, kWidth);
  }
  Matrix out() { return {out_.data(), kTokens, kWidth}; }
  void run(std::vector<AttentionSpan> spans, const AttentionOptions& options) {
    attention(context_, workspace_, part(0), part(1), part(2), spans, options, out());
  }

  Context context_{2};
  Workspace workspace_;
  std::vector<float> qkv_, out_;
};

TEST_F(AttentionOpTest, MatchesReference) {
  const std::vector<AttentionSpan> spans = {{0, 12, 0, 12}, {12, 18, 12, 18}};
  for (const float scale : {0.0f, 0.7f}) {
    std::vector<float> want(out_.size());
    const float used = scale > 0 ? scale : 1 / std::sqrt(8.0f);
    kernels::ref::attention({3, 8, used, true},
                            {part(0), part(1), part(2), Matrix(want.data(), kTokens, kWidth)},
                            spans.data(), spans.size());
    run(spans, {.heads = 3, .causal = true, .scale = scale});
    kernels::expect_near(out_, want, kernels::sum_tolerance(8) + 16 * kernels::kEps);
  }
}

TEST_F(AttentionOpTest, RejectsWrongArguments) {
  EXPECT_EQ(rejection([&] {
              run({{0, 1, 0, 1}}, {.heads = 5});
            }),
            "[attention] heads must divide the width 24, got 5");
  EXPECT_EQ(rejection([&] {
              run({{0, 1, 25, 6}}, {});
            }),
            "[attention] keys of a span must be some of 30 rows, got 6 from 25");
  EXPECT_EQ(rejection([&] {
              run({{0, 1, 0, 0}}, {});
            }),
            "[attention] keys of a span must be some of 30 rows, got 0 from 0");
  EXPECT_EQ(rejection([&] {
              run({{29, 2, 0, 1}}, {});
            }),
            "[attention] queries of a span must be some of 30 rows, got 2 from 29");
  EXPECT_EQ(rejection([&] {
              run({{0, 3, 0, 2}}, {.causal = true});
            }),
            "[attention] a causal span must have at most 2 queries (its keys), got 3");
  EXPECT_EQ(rejection([&] {
              attention(context_, workspace_, part(0), part(1).columns(0, 8), part(2), {}, {},
                        out());
            }),
            "[attention] k and v must be [keys, 24], got [30, 8] and [30, 24]");
}

}  // namespace
}  // namespace openclip
