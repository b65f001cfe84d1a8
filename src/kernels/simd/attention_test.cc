#include "kernels/attention.h"

#include "kernels/ref/ref.h"
#include "kernels/test_util.h"

namespace openclip::kernels {
namespace {

struct AttentionCase {
  size_t heads, head_dim;
  bool causal;
  std::vector<AttentionSpan> spans;
};

class AttentionTest : public testing::TestWithParam<AttentionCase> {};

TEST_P(AttentionTest, MatchesReference) {
  const AttentionCase& c = GetParam();
  size_t queries = 0, keys = 0, longest = 0;
  for (const AttentionSpan& span : c.spans) {
    queries = std::max(queries, span.query_begin + span.query_count);
    keys = std::max(keys, span.key_begin + span.key_count);
    longest = std::max(longest, span.key_count);
  }
  const size_t width = c.heads * c.head_dim, stride = 3 * width + 1;
  Random random(c.head_dim);
  const std::vector<float> q = random.vector(queries * stride, 2);
  const std::vector<float> kv = random.vector(keys * stride, 2);
  std::vector<float> got(queries * width, 5.0f), want = got;
  const AttentionShape shape{c.heads, c.head_dim, 1 / std::sqrt(static_cast<float>(c.head_dim)),
                             c.causal};
  AttentionRows rows{{q.data(), queries, width, stride},
                     {kv.data() + width, keys, width, stride},
                     {kv.data() + 2 * width, keys, width, stride},
                     {want.data(), queries, width, width}};
  ref::attention(shape, rows, c.spans.data(), c.spans.size());
  Aligned scratch(3 * attention_scratch_floats(c.head_dim, longest));
  rows.out.data = got.data();
  attention(3, shape, rows, c.spans.data(), c.spans.size(), scratch.data());
  // A score is a sum of head_dim products up to 4; its error moves a probability by as much,
  // relatively, and values are at most 2.
  const double score_error = sum_tolerance(c.head_dim, 2, 2) * shape.scale;
  expect_near(got, want, 2 * (score_error + 16 * kEps));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, AttentionTest,
    testing::Values(
        AttentionCase{2, 64, false, {{0, 50, 0, 50}, {50, 50, 50, 50}}},  // ViT-B-32
        AttentionCase{1, 80, false, {{0, 257, 0, 257}}},                  // ViT-H-14
        AttentionCase{2, 88, false, {{0, 33, 0, 33}}},                    // ViT-g-14
        AttentionCase{1, 104, false, {{0, 29, 0, 29}}},                   // ViT-bigG-14
        AttentionCase{3, 112, false, {{0, 5, 0, 5}}},                     // ViT-e-14
        AttentionCase{4, 12, false, {{0, 17, 0, 17}}},                    //
        AttentionCase{3, 1, false, {{0, 9, 0, 9}}},                       //
        AttentionCase{2, 64, true, {{0, 77, 0, 77}}},                     // full text
        AttentionCase{2, 20, true, {{0, 1, 0, 1}, {1, 7, 1, 7}, {8, 31, 8, 31}, {39, 3, 39, 3}}},
        AttentionCase{2, 64, false, {{0, 1, 0, 50}, {1, 1, 50, 50}}},  // pooled token only
        AttentionCase{2, 16, true, {{0, 2, 0, 9}, {2, 6, 9, 40}}},     // last queries only
        AttentionCase{2, 16, false, {}}));

}  // namespace
}  // namespace openclip::kernels
