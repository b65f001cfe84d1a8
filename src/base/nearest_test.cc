#include "base/nearest.h"

#include <gmock/gmock.h>

namespace openclip {
namespace {

using testing::ElementsAre;

TEST(NearestTest, EditDistanceCountsEachKindOfEdit) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2u);
}

TEST(NearestTest, IgnoresCaseAndKeepsOrderOfTies) {
  EXPECT_THAT(nearest_names("vit-b32", {"RN50", "ViT-B-16", "ViT-B-32"}, 2),
              ElementsAre("ViT-B-32", "ViT-B-16"));
  EXPECT_THAT(nearest_names("x", {"b", "a"}, 5), ElementsAre("b", "a"));
  EXPECT_TRUE(nearest_names("x", {}, 1).empty());
}

}  // namespace
}  // namespace openclip
