#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace openclip {
namespace {

TEST(ParallelForTest, VisitsEachItemOnce) {
  for (const size_t count : {0u, 1u, 7u, 100u}) {
    std::vector<std::atomic<int>> visits(count);
    parallel_for(4, count, 3, [&](size_t begin, size_t end, int worker) {
      EXPECT_GE(worker, 0);
      EXPECT_LT(worker, 4);
      for (size_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto& visit : visits) EXPECT_EQ(visit, 1);
  }
}

TEST(ParallelForTest, RethrowsOnTheCaller) {
  EXPECT_THROW(parallel_for(2, 10, 1,
                            [](size_t begin, size_t, int) {
                              if (begin > 0) throw std::runtime_error("worker");
                            }),
               std::runtime_error);
}

TEST(ParallelForTest, ManyCallersAtOnceAndNested) {
  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        parallel_for(3, 9, 1, [&](size_t begin, size_t end, int) {
          parallel_for(2, end - begin, 1, [&](size_t first, size_t last, int) {
            total += static_cast<int>(last - first);
          });
        });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 4 * 200 * 9);
}

TEST(ParallelForTest, MachineHasAtLeastOneThread) { EXPECT_GE(available_threads(), 1); }

}  // namespace
}  // namespace openclip
