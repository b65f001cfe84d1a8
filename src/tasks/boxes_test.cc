#include "tasks/boxes.h"

#include <gtest/gtest.h>

namespace openclip {
namespace {

TEST(BoxesTest, Overlap) {
  const BoxCorners a{0, 0, 10, 10}, b{5, 0, 15, 10}, apart{20, 20, 30, 30}, empty{5, 5, 5, 9};
  EXPECT_DOUBLE_EQ(box_overlap(a, a), 1);
  EXPECT_DOUBLE_EQ(box_overlap(a, b), 50.0 / 150);
  EXPECT_DOUBLE_EQ(box_overlap(a, apart), 0);
  EXPECT_DOUBLE_EQ(box_overlap(empty, empty), 0);
  EXPECT_DOUBLE_EQ(shared_area(a, b), 50);
}

TEST(BoxesTest, MergeKeepsTheBestOfEachPlace) {
  const std::vector<ScoredBox> boxes = {
      {{0, 0, 10, 10}, 0.5}, {{1, 0, 11, 10}, 0.9}, {{40, 40, 50, 50}, 0.1}, {{2, 2, 5, 5}, 0.3}};
  const auto plain = merge_boxes(boxes, {.overlap = 0.5});
  ASSERT_EQ(plain.size(), size_t{3});  // the small one inside overlaps by 9 %
  EXPECT_DOUBLE_EQ(plain[0].score, 0.9);
  EXPECT_DOUBLE_EQ(plain[1].score, 0.3);
  const auto nested = merge_boxes(boxes, {.overlap = 0.5, .inside = 0.7});
  ASSERT_EQ(nested.size(), size_t{2});
  EXPECT_DOUBLE_EQ(nested[1].score, 0.1);
  EXPECT_TRUE(merge_boxes({}, {}).empty());
}

}  // namespace
}  // namespace openclip
