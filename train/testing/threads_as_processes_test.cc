#include "testing/threads_as_processes.h"

#include <gtest/gtest.h>

#include <exception>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "dist/connect.h"
#include "dist/same_machine.h"

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

// As gradients are: filled, added up and changed again and again, several at a time.
TEST(CommunicatorTest, SumBuffersOfThree) {
  threads_as_processes(3, [](Communicator& processes) {
    const int rank = processes.rank();
    std::vector<at::Tensor> buffers;
    for (const int64_t elements : {1, 2, 1000, 100'003})
      buffers.push_back(processes.sum_buffer(elements, at::kFloat));
    for (int round = 0; round < 20; ++round) {
      std::vector<std::unique_ptr<Pending>> sums;
      for (at::Tensor& buffer : buffers) {
        buffer.copy_(at::arange(buffer.numel(), at::kFloat)).mul_(rank + round);
        sums.push_back(processes.all_reduce_async(buffer));
      }
      for (size_t i = 0; i < buffers.size(); ++i) {
        sums[i]->wait();
        EXPECT_TRUE(buffers[i].equal(at::arange(buffers[i].numel(), at::kFloat) * (3 * round + 3)));
        buffers[i].zero_();
      }
    }
    at::Tensor part = buffers.back().slice(0, 0, 10).fill_(1);
    processes.all_reduce(part);
    EXPECT_TRUE(part.equal(at::full({10}, 3.0)));
    EXPECT_EQ(processes.sum_buffer(5, at::kDouble).scalar_type(), at::kDouble);
    buffers.clear();
    at::Tensor next = processes.sum_buffer(7, at::kFloat).fill_(rank);
    processes.all_reduce(next);
    EXPECT_TRUE(next.equal(at::full({7}, 3.0)));
  });
}

// Its processes cannot open each other's memory, as on several machines.
class Apart : public Communicator {
 public:
  explicit Apart(Communicator& real) : real_(real) {}
  int rank() const override { return real_.rank(); }
  int size() const override { return real_.size(); }
  GatheredRows gather_rows(const at::Tensor& rows) override {
    GatheredRows gathered = real_.gather_rows(rows);
    gathered.rows.select(1, 0).zero_();  // there is no process 0
    return gathered;
  }
  std::unique_ptr<Pending> all_reduce_async(at::Tensor tensor) override {
    return real_.all_reduce_async(std::move(tensor));
  }

 private:
  Communicator& real_;
};

TEST(CommunicatorTest, SumBuffersWithoutSharedMemory) {
  threads_as_processes(2, [](Communicator& real) {
    SameMachineCommunicator processes(std::make_unique<Apart>(real));
    for (int i = 0; i < 2; ++i) {
      at::Tensor buffer = processes.sum_buffer(1000, at::kFloat).fill_(real.rank() + 1);
      processes.all_reduce(buffer);
      EXPECT_TRUE(buffer.equal(at::full({1000}, 3.0)));
    }
  });
}

TEST(CommunicatorTest, OneProcessNeedsNobody) {
  Communicator alone;
  EXPECT_EQ(alone.gather_rows(at::ones({2})).rows.size(0), 2);
  EXPECT_EQ(alone.broadcast_text("x"), "x");
}

}  // namespace
}  // namespace openclip::train
