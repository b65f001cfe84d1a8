// Memory for intermediate results, kept from call to call. Rank 2.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "tensor/tensor.h"

namespace openclip {

/// A stack of matrices: take() puts one on top, the end of a Frame removes all that were taken
/// since. Memory is kept for the next call. For one thread at a time.
class Workspace {
 public:
  /// Everything taken during the life of a Frame is given back when it ends; frames nest.
  class Frame {
   public:
    explicit Frame(Workspace& workspace)
        : workspace_(workspace), chunk_(workspace.chunk_), used_(workspace.used_) {}
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() { workspace_.release(chunk_, used_); }

   private:
    Workspace& workspace_;
    size_t chunk_, used_;
  };

  /// `count` uninitialised floats, 64-byte aligned. Throws: std::bad_alloc.
  float* take_floats(int64_t count);

  /// An uninitialised dense matrix.
  Matrix take(int64_t rows, int64_t cols) { return {take_floats(rows * cols), rows, cols}; }

  size_t capacity_floats() const;

 private:
  void release(size_t chunk, size_t used);

  std::vector<Buffer> chunks_;
  size_t chunk_ = 0;  // the one in use
  size_t used_ = 0;   // floats taken from it
};

/// Workspaces of one model: a call borrows one, so that many threads can call at once. Thread-safe.
class WorkspacePool {
 public:
  class Lease {
   public:
    Lease(WorkspacePool& pool, std::unique_ptr<Workspace> workspace)
        : pool_(pool), workspace_(std::move(workspace)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    Workspace& operator*() const { return *workspace_; }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace> workspace_;
  };

  Lease borrow();

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace openclip
