#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
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

TEST(ParallelForTest, MachineHasAtLeastOneThread) { EXPECT_GE(available_threads(), 1); }

}  // namespace
}  // namespace openclip
