#include "kernels/segment_attention.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

struct SegmentCase {
  size_t heads, head_dim;
  std::vector<SegmentSpan> spans;
  std::vector<KeySegment> segments;
};

// Runs a case on random rows; both results stay for comparison.
class SegmentRun {
 public:
  explicit SegmentRun(const SegmentCase& c) : case_(c), width_(c.heads * c.head_dim) {
    for (const SegmentSpan& span : c.spans) {
      queries_ = std::max(queries_, span.query_begin + span.query_count);
      longest_ = std::max(longest_, span.key_count);
    }
    for (const KeySegment& segment : c.segments)
      keys_ = std::max(keys_, segment.begin + segment.count);
    Random random(c.head_dim);
    q_ = random.vector(queries_ * stride(), 2);
    kv_ = random.vector(keys_ * stride(), 2);
  }

  std::vector<float> reference() const {
    return run([](const auto& shape, const auto& rows, const auto& spans) {
      ref::segment_attention(shape, rows, spans);
    });
  }
  std::vector<float> result(int threads) const {
    Aligned scratch(static_cast<size_t>(threads) * (longest_ + 16));
    return run([&](const auto& shape, const auto& rows, const auto& spans) {
      segment_attention(threads, shape, rows, spans, scratch.data());
    });
  }
  // A score is a sum of head_dim products up to 4; its error moves a probability by as much,
  // relatively, and values are at most 2.
  double tolerance() const {
    return 2 * (sum_tolerance(case_.head_dim, 2, 2) * scale() + 16 * kEps);
  }

 private:
  size_t stride() const { return 2 * width_ + 1; }
  float scale() const { return 1 / std::sqrt(static_cast<float>(case_.head_dim)); }

  template <class Fn>
  std::vector<float> run(const Fn& fn) const {
    std::vector<float> out(queries_ * width_, 5.0f);
    fn(AttentionShape{case_.heads, case_.head_dim, scale(), true},
       AttentionRows{{q_.data(), queries_, width_, stride()},
                     {kv_.data(), keys_, width_, stride()},
                     {kv_.data() + width_, keys_, width_, stride()},
                     {out.data(), queries_, width_, width_}},
       SegmentSpans{case_.spans.data(), case_.spans.size(), case_.segments.data()});
    return out;
  }

  const SegmentCase case_;
  const size_t width_;
  size_t queries_ = 0, keys_ = 0, longest_ = 0;
  std::vector<float> q_, kv_;
};

class SegmentAttentionTest : public testing::TestWithParam<SegmentCase> {};

TEST_P(SegmentAttentionTest, MatchesReference) {
  const SegmentRun run(GetParam());
  expect_near(run.result(3), run.reference(), run.tolerance());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, SegmentAttentionTest,
    testing::Values(
        SegmentCase{2, 64, {{0, 5, 0, 1, 5}}, {{0, 5}}},  // one text
                                                          // A prefix, two branches of it, and a
                                                          // branch of the second's first token.
        SegmentCase{2,
                    64,
                    {{0, 5, 0, 1, 5}, {5, 3, 1, 2, 7}, {8, 2, 3, 3, 7}},
                    {{0, 5}, {0, 4}, {5, 3}, {0, 4}, {5, 1}, {8, 2}}},
        // Pooled tokens only, the second inside of a branch.
        SegmentCase{3, 80, {{0, 1, 0, 2, 7}, {1, 1, 2, 2, 6}}, {{0, 4}, {5, 3}, {0, 4}, {5, 2}}},
        SegmentCase{4, 12, {{2, 9, 0, 3, 17}}, {{3, 4}, {0, 2}, {7, 11}}},
        SegmentCase{3, 1, {{0, 2, 0, 2, 3}}, {{0, 1}, {2, 2}}},
        SegmentCase{1, 112, {{0, 77, 0, 1, 77}}, {{0, 77}}}, SegmentCase{2, 16, {}, {}}));

TEST(SegmentAttentionTest, CutsAndNeighboursChangeNoBit) {
  const SegmentCase whole{2, 40, {{0, 9, 0, 1, 9}}, {{0, 9}}};
  const SegmentCase cut{2,
                        40,
                        {{0, 2, 0, 1, 2}, {2, 3, 1, 2, 5}, {5, 4, 3, 3, 9}},
                        {{0, 2}, {0, 2}, {2, 3}, {0, 1}, {1, 4}, {5, 4}}};
  EXPECT_EQ(SegmentRun(whole).result(1), SegmentRun(cut).result(2));
}

}  // namespace
}  // namespace openclip::kernels
