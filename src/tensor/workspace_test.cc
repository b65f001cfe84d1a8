#include "tensor/workspace.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace openclip {
namespace {

TEST(WorkspaceTest, MatricesDoNotOverlapWhileTheyLive) {
  Workspace workspace;
  const Workspace::Frame frame(workspace);
  const Matrix a = workspace.take(100, 333);
  const Matrix b = workspace.take(3000, 1000);  // more than the first chunk has
  const Matrix c = workspace.take(7, 5);
  for (const Matrix& m : {a, b, c}) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(m.data) % 64, 0u);
    std::fill(m.data, m.data + m.rows * m.cols, static_cast<float>(m.cols));
  }
  for (const Matrix& m : {a, b, c})
    for (int64_t i = 0; i < m.rows * m.cols; ++i) ASSERT_EQ(m.data[i], static_cast<float>(m.cols));
}

TEST(WorkspaceTest, FramesGiveBackInOrder) {
  Workspace workspace;
  const Workspace::Frame outer(workspace);
  workspace.take_floats(10);
  float* first = nullptr;
  {
    const Workspace::Frame inner(workspace);
    first = workspace.take_floats(50);
  }
  EXPECT_EQ(workspace.take_floats(50), first);
}

TEST(WorkspaceTest, MemoryStopsGrowing) {
  Workspace workspace;
  size_t capacity = 0;
  for (int call = 0; call < 5; ++call) {
    const Workspace::Frame frame(workspace);
    for (int i = 0; i < 10; ++i) workspace.take_floats(200000);
    if (call == 1) capacity = workspace.capacity_floats();
  }
  EXPECT_EQ(workspace.capacity_floats(), capacity);
}

TEST(WorkspacePoolTest, LendsEachWorkspaceOnce) {
  WorkspacePool pool;
  Workspace* first = nullptr;
  {
    const WorkspacePool::Lease a = pool.borrow();
    const WorkspacePool::Lease b = pool.borrow();
    EXPECT_NE(&*a, &*b);
    first = &*a;
  }
  const WorkspacePool::Lease again = pool.borrow();
  EXPECT_EQ(&*again, first);  // the last one given back
}

}  // namespace
}  // namespace openclip
