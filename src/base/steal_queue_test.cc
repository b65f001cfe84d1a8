#include "base/steal_queue.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace openclip {
namespace {

TEST(StealQueueTest, OwnersTakeFromTheFrontAndOthersFromTheBack) {
  StealQueue queue(10, 30);
  const StealQueue::Range front = queue.take_front(2, 8);
  EXPECT_EQ(front.begin, 10u);
  EXPECT_EQ(front.end, 15u);  // a quarter of 20
  const StealQueue::Range back = queue.take_back(2, 3);
  EXPECT_EQ(back.begin, 27u);
  EXPECT_EQ(back.end, 30u);
}

TEST(StealQueueTest, StepsAreAtLeastAndAtMostWhatIsAsked) {
  StealQueue queue(0, 100);
  EXPECT_EQ(queue.take_front(1, 8).end, 8u);
  EXPECT_EQ(queue.take_front(50, 60).end, 58u);
  StealQueue few(0, 3);
  EXPECT_EQ(few.take_back(2, 8).begin, 1u);
  EXPECT_EQ(few.take_back(2, 8).end, 1u);  // the last one, though it is less than `least`
  EXPECT_TRUE(few.take_front(2, 8).empty());
  EXPECT_TRUE(StealQueue(7, 7).take_back(1, 1).empty());
}

TEST(StealQueueTest, EachStepIsHandedOutOnce) {
  constexpr size_t kSteps = 100000;
  StealQueue queue(0, kSteps);
  std::vector<std::atomic<int>> taken(kSteps);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      StealQueue::Range range{};
      while (!(range = i == 0 ? queue.take_front(1, 3) : queue.take_back(1, 3)).empty())
        for (size_t step = range.begin; step < range.end; ++step) ++taken[step];
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::atomic<int>& count : taken) ASSERT_EQ(count, 1);
}

}  // namespace
}  // namespace openclip
