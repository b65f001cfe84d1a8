#include "models/towers/token_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace openclip {
namespace {

using testing::ElementsAre;
using Texts = std::vector<std::vector<int32_t>>;

TokenTree tree_of(const Texts& texts) {
  const std::vector<std::span<const int32_t>> spans(texts.begin(), texts.end());
  return TokenTree(spans);
}

// The tokens that a span's keys stand for, in order.
std::vector<int32_t> keys_of(const TokenTree& tree, const SegmentSpans& spans, size_t index) {
  std::vector<int32_t> tokens;
  const SegmentSpan& span = spans.spans[index];
  for (size_t i = 0; i < span.segment_count; ++i) {
    const KeySegment& segment = spans.segments[span.segment_begin + i];
    for (size_t j = 0; j < segment.count; ++j) tokens.push_back(tree.ids[segment.begin + j]);
  }
  EXPECT_EQ(tokens.size(), span.key_count);
  return tokens;
}

TEST(TokenTreeTest, SharesBeginnings) {
  const Texts texts = {{1, 2}, {1, 2, 3, 9}, {1, 2, 4, 5, 9}, {1, 2, 4, 6, 9}, {1, 7, 9}};
  const TokenTree tree = tree_of(texts);
  EXPECT_THAT(tree.ids, ElementsAre(1, 2, 3, 9, 4, 5, 9, 6, 9, 7, 9));
  EXPECT_THAT(tree.positions, ElementsAre(0, 1, 2, 3, 2, 3, 4, 3, 4, 1, 2));
  EXPECT_THAT(tree.last_rows, ElementsAre(1, 3, 6, 8, 10));
  EXPECT_THAT(tree.first_rows, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 9, 10));
  EXPECT_THAT(tree.kinds, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 6, 8, 9));  // 9 in the fifth place
  ASSERT_EQ(tree.attention.spans.size(), texts.size());
  size_t rows = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(keys_of(tree, tree.attention, i), texts[i]);
    EXPECT_EQ(keys_of(tree, tree.last_attention, i), texts[i]);
    EXPECT_EQ(tree.attention.spans[i].query_begin, rows);
    rows += tree.attention.spans[i].query_count;
    EXPECT_EQ(tree.last_attention.spans[i].query_begin, i);
    EXPECT_EQ(tree.last_attention.spans[i].query_count, 1u);
  }
  EXPECT_EQ(rows, tree.ids.size());
}

TEST(TokenTreeTest, OneTextIsOneSegment) {
  const TokenTree tree = tree_of({{5, 6, 7}});
  ASSERT_EQ(tree.attention.segments.size(), 1u);
  EXPECT_EQ(tree.attention.segments[0].count, 3u);
}

TEST(TokenTreeTest, NoTexts) { EXPECT_TRUE(tree_of({}).ids.empty()); }

}  // namespace
}  // namespace openclip
