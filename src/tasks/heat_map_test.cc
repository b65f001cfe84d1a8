#include "tasks/heat_map.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "tasks/window_reader.h"

namespace openclip {
namespace {

TEST(HeatMapTest, FollowsThePicturesShape) {
  const HeatMap wide = map_for(200, 100, 10), narrow = map_for(10, 4000, 10);
  EXPECT_EQ(wide.rows, 10);
  EXPECT_EQ(wide.cols, 20);
  EXPECT_EQ(narrow.cols, 10);
  EXPECT_EQ(narrow.rows, 80);  // not 4000
  EXPECT_EQ(map_for(1, 1, 3).values.size(), size_t{9});
}

TEST(HeatMapTest, InterpolatesBetweenMiddles) {
  HeatMap from(1, 2), to(2, 4);
  from.values = {0, 1};
  add_interpolated(to, from);
  add_interpolated(to, from);
  const std::vector<float> row = {0, 0.5f, 1.5f, 2};
  for (size_t i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(to.values[i], row[i % 4]);
  EXPECT_EQ(to.hottest(), 3);
}

TEST(HeatMapTest, WindowsCountMostInTheirMiddle) {
  HeatMap map(10, 20);
  spread_windows(map, {{0, 0, 100, 100}, {100, 0, 200, 100}}, {1, 3}, 200, 100);
  EXPECT_FLOAT_EQ(map.at(5, 5), 1);
  EXPECT_FLOAT_EQ(map.at(0, 15), 3);
  // Where windows overlap, the nearer one decides more; what none covers gets the least.
  spread_windows(map, {{0, 0, 100, 100}, {50, 0, 150, 100}}, {2, 0}, 200, 100);
  EXPECT_GT(map.at(5, 6), 1);
  EXPECT_LT(map.at(5, 8), 1);
  EXPECT_FLOAT_EQ(map.at(5, 18), 0);
}

TEST(WindowPyramidTest, CoversThePictureAtEverySize) {
  for (const auto& [width, height] : {std::pair(100, 100), std::pair(300, 80), std::pair(1, 7)}) {
    const std::vector<BoxCorners> windows = window_pyramid(width, height, 0.25);
    HeatMap covered(height, width);
    double smallest = 1e9;
    for (const BoxCorners& box : windows) {
      EXPECT_GE(std::min(box[0], box[1]), 0);
      EXPECT_LE(box[2], width + 1e-9);
      EXPECT_LE(box[3], height + 1e-9);
      smallest = std::min(smallest, box[2] - box[0]);
    }
    EXPECT_NEAR(smallest, 0.25 * std::min(width, height), 0.01 * std::min(width, height));
    double left = 1e9, right = 0;
    for (const BoxCorners& box : windows) {
      if (box[2] - box[0] > smallest * 1.01) continue;
      left = std::min(left, box[0]);
      right = std::max(right, box[2]);
    }
    EXPECT_NEAR(left, 0, 1e-9);
    EXPECT_NEAR(right, width, 1e-9);
  }
  EXPECT_THROW(window_pyramid(10, 10, 0.001), InvalidArgument);
  // No more of them in a picture of one row than in one that is 8 times as long as wide.
  const auto windows = window_pyramid(65535, 1, 0.25);
  EXPECT_EQ(windows.size(), window_pyramid(8, 1, 0.25).size());
  EXPECT_EQ(windows.back()[2], 65535);
  EXPECT_THROW(window_pyramid(10, 10, 1.5), InvalidArgument);
}

}  // namespace
}  // namespace openclip
