#include "tasks/ordered_prefetch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace openclip {
namespace {

using Prefetch = OrderedPrefetch<int, int>;

Prefetch::Source count_to(int last) {
  return [next = 0, last]() mutable -> std::optional<int> {
    if (next == last) return std::nullopt;
    return next++;
  };
}

TEST(OrderedPrefetchTest, KeepsOrderAndWindow) {
  std::atomic<int> in_flight{0}, most{0};
  Prefetch prefetch(4, 6, count_to(200), [&](int i) {
    most = std::max(most.load(), ++in_flight);
    std::this_thread::sleep_for(std::chrono::microseconds((i * 37) % 300));
    return i * i;
  });
  for (int i = 0; i < 200; ++i) {
    const auto result = prefetch.next();
    --in_flight;
    ASSERT_EQ(result, i * i);
  }
  EXPECT_EQ(prefetch.next(), std::nullopt);
  EXPECT_EQ(prefetch.next(), std::nullopt);
  EXPECT_LE(most, 7);  // six, and the one between next() and the line after it
}

TEST(OrderedPrefetchTest, NoTasks) {
  Prefetch prefetch(3, 2, count_to(0), [](int i) { return i; });
  EXPECT_EQ(prefetch.next(), std::nullopt);
}

TEST(OrderedPrefetchTest, ErrorsComeOutInTheirPlace) {
  Prefetch prefetch(2, 4, count_to(3), [](int i) {
    if (i == 1) throw std::runtime_error("one");
    return i;
  });
  EXPECT_EQ(prefetch.next(), 0);
  EXPECT_THROW(prefetch.next(), std::runtime_error);
  EXPECT_EQ(prefetch.next(), 2);
  Prefetch broken(
      2, 4, []() -> std::optional<int> { throw std::runtime_error("source"); },
      [](int i) { return i; });
  EXPECT_THROW(broken.next(), std::runtime_error);
  EXPECT_EQ(broken.next(), std::nullopt);
}

TEST(OrderedPrefetchTest, MayBeLeftEarly) {
  Prefetch prefetch(4, 8, count_to(1000), [](int i) { return i; });
  EXPECT_EQ(prefetch.next(), 0);
}

}  // namespace
}  // namespace openclip
