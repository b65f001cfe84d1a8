#include "testing/threads_as_processes.h"

#include <gtest/gtest.h>

#include <exception>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "dist/connect.h"

namespace openclip::train {

void threads_as_processes(int size, const std::function<void(Communicator&)>& run) {
  if (size == 1) {
    Communicator alone;
    return run(alone);
  }
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        run(*connect_gloo(store, rank, size, /*this_machine=*/true));
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    });
  }
  threads.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

namespace {

TEST(CommunicatorTest, CollectivesOfThree) {
  threads_as_processes(3, [](Communicator& processes) {
    const int rank = processes.rank();
    // 1, 2 and 3 rows.
    const GatheredRows rows = processes.gather_rows(at::full({rank + 1, 2}, 1.0 * rank));
    EXPECT_EQ(rows.first, rank * (rank + 1) / 2);
    EXPECT_TRUE(rows.rows.select(1, 1).equal(at::tensor({0, 1, 1, 2, 2, 2}, at::kFloat)));
    at::Tensor sum = at::full({4}, rank + 1.0);
    processes.all_reduce(sum);
    EXPECT_TRUE(sum.equal(at::full({4}, 6.0)));
    at::Tensor from_one = at::full({2, 3}, 1.0 * rank).t();  // not contiguous
    processes.broadcast(from_one, 1);
    EXPECT_TRUE(from_one.equal(at::ones({3, 2})));
    const auto shifted = processes.shift({at::full({rank + 1}, rank, at::kLong)});
    const int previous = (rank + 2) % 3;
    EXPECT_TRUE(shifted[0].equal(at::full({previous + 1}, previous, at::kLong)));
    EXPECT_EQ(processes.broadcast_text(rank == 0 ? "first" : "another"), "first");
    EXPECT_EQ(processes.broadcast_text(""), "");
  });
}

TEST(CommunicatorTest, OneProcessNeedsNobody) {
  Communicator alone;
  EXPECT_EQ(alone.gather_rows(at::ones({2})).rows.size(0), 2);
  EXPECT_EQ(alone.broadcast_text("x"), "x");
}

}  // namespace
}  // namespace openclip::train
