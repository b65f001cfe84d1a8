#include "serve/engine/batcher.h"

#include <gtest/gtest.h>

#include <future>

#include "serve/test_util.h"

namespace openclip {
namespace {

using namespace std::chrono_literals;

BatchItem text(int32_t id) { return {.ids = {id}}; }

Call call_with_time(std::chrono::milliseconds time = 10s) {
  Call call;
  call.deadline = Clock::now() + time;
  return call;
}

// A tower whose feature is the id; it can be held.
struct FakeTower {
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false;
  std::vector<size_t> batches;

  Batcher::Forward forward() {
    return [this](BatchKind, std::span<const BatchItem* const> items, float* out) {
      std::unique_lock lock(mutex);
      batches.push_back(items.size());
      changed.notify_all();
      changed.wait(lock, [&] { return !held; });
      for (size_t i = 0; i < items.size(); ++i) {
        if (items[i]->ids[0] < 0) throw InvalidArgument("negative");
        out[i] = static_cast<float>(items[i]->ids[0]);
      }
    };
  }
  void hold(bool on) {
    const std::lock_guard lock(mutex);
    held = on;
    changed.notify_all();
  }
  void wait_for_batches(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return batches.size() >= count; });
  }
};

TEST(Batcher, GivesEachCallItsRows) {
  FakeTower tower;
  Batcher batcher(1, {.max_batch = {2, 2}}, tower.forward());
  const Call call = call_with_time();
  EXPECT_EQ(batcher.run(BatchKind::text, {text(5), text(6), text(7)}, call),
            (std::vector<float>{5, 6, 7}));
  EXPECT_TRUE(batcher.run(BatchKind::text, {}, call).empty());
}

TEST(Batcher, JoinsWhatGathersMeanwhile) {
  FakeTower tower;
  tower.hold(true);
  Batcher batcher(1, {.max_batch = {8, 8}}, tower.forward());
  const Call call = call_with_time();
  std::vector<std::future<std::vector<float>>> answers;
  const auto ask = [&](int id) {
    answers.push_back(std::async(
        std::launch::async, [&, id] { return batcher.run(BatchKind::text, {text(id)}, call); }));
  };
  ask(0);
  tower.wait_for_batches(1);
  for (int id = 1; id <= 10; ++id) ask(id);
  while (batcher.waiting(BatchKind::text) < 10) std::this_thread::yield();
  tower.hold(false);
  for (int id = 0; id <= 10; ++id) EXPECT_EQ(answers[id].get(), std::vector<float>{float(id)});
  EXPECT_EQ(tower.batches, (std::vector<size_t>{1, 8, 2}));
}

TEST(Batcher, WaitsForWhatWasAnnounced) {
  FakeTower tower;
  Batcher batcher(1, {.max_batch = {8, 8}, .patience = 5s}, tower.forward());
  const Call call = call_with_time();
  Batcher::Announcement second(batcher, BatchKind::image, 1);
  auto first = std::async(std::launch::async,
                          [&] { return batcher.run(BatchKind::image, {text(1)}, call); });
  EXPECT_EQ(first.wait_for(50ms), std::future_status::timeout);
  batcher.run(BatchKind::image, {text(2)}, call, &second);
  first.get();
  EXPECT_EQ(tower.batches, std::vector<size_t>{2});
}

TEST(Batcher, PatienceEnds) {
  FakeTower tower;
  Batcher batcher(1, {.patience = 20ms}, tower.forward());
  const Batcher::Announcement never(batcher, BatchKind::image, 1);
  EXPECT_EQ(batcher.run(BatchKind::image, {text(1)}, call_with_time()), std::vector<float>{1});
}

TEST(Batcher, StopsWaitingWhenAnAnnouncementIsTakenBack) {
  FakeTower tower;
  Batcher batcher(1, {.patience = 1h}, tower.forward());
  std::optional<Batcher::Announcement> failed;
  failed.emplace(batcher, BatchKind::image, 1);
  auto first = std::async(std::launch::async, [&] {
    return batcher.run(BatchKind::image, {text(1)}, call_with_time());
  });
  while (batcher.waiting(BatchKind::image) < 1) std::this_thread::yield();
  failed.reset();
  EXPECT_EQ(first.get(), std::vector<float>{1});
}

TEST(Batcher, ErrorsReachTheirCalls) {
  FakeTower tower;
  Batcher batcher(1, {}, tower.forward());
  EXPECT_THROW(batcher.run(BatchKind::text, {text(-1)}, call_with_time()), InvalidArgument);
  EXPECT_EQ(batcher.run(BatchKind::text, {text(3)}, call_with_time()), std::vector<float>{3});
}

TEST(Batcher, DropsLateAndAbandonedItems) {
  FakeTower tower;
  tower.hold(true);
  Batcher batcher(1, {}, tower.forward());
  auto first = std::async(std::launch::async, [&] {
    return batcher.run(BatchKind::text, {text(1)}, call_with_time());
  });
  tower.wait_for_batches(1);
  EXPECT_EQ(status_of([&] { batcher.run(BatchKind::text, {text(2)}, call_with_time(20ms)); }), 503);
  const Call left = call_with_time();
  auto second = std::async(std::launch::async, [&] {
    return status_of([&] { batcher.run(BatchKind::text, {text(3)}, left); });
  });
  while (batcher.waiting(BatchKind::text) < 2) std::this_thread::yield();
  *left.gone = true;
  tower.hold(false);
  EXPECT_EQ(second.get(), 499);
  EXPECT_EQ(first.get(), std::vector<float>{1});
  EXPECT_EQ(tower.batches, std::vector<size_t>{1});  // neither was computed
}

TEST(Batcher, WaitsOutsideWhileTooManyWait) {
  FakeTower tower;
  tower.hold(true);
  Batcher batcher(1, {.max_batch = {1, 1}, .max_waiting_factor = 2}, tower.forward());
  const Call call = call_with_time();
  std::vector<std::future<std::vector<float>>> answers;
  for (int i = 0; i < 6; ++i)
    answers.push_back(std::async(std::launch::async,
                                 [&] { return batcher.run(BatchKind::text, {text(1)}, call); }));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(batcher.waiting(BatchKind::text), 2u);
  EXPECT_EQ(status_of([&] { batcher.run(BatchKind::text, {text(2)}, call_with_time(20ms)); }), 503);
  tower.hold(false);
  for (auto& answer : answers) EXPECT_EQ(answer.get(), std::vector<float>{1});
}

}  // namespace
}  // namespace openclip
