// What the processes of one job say to each other.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace openclip::train {

/// Rows that each process contributed, one process after the other.
struct GatheredRows {
  at::Tensor rows;    // [total, …]
  int64_t first = 0;  // where this process's own begin
};

/// A collective under way.
class Pending {
 public:
  virtual ~Pending() = default;
  /// Returns when the tensor holds the result. Throws: Error if a peer is gone.
  virtual void wait() = 0;
};

/// The base class is a job of one process. All processes must make the same calls in the same
/// order; one thread at a time. Everything throws Error when a peer is gone.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const { return 0; }
  virtual int size() const { return 1; }
  bool is_first() const { return rank() == 0; }

  /// The rows of all processes; their numbers may differ, the other dimensions must not.
  virtual GatheredRows gather_rows(const at::Tensor& rows) { return {rows, 0}; }

  /// Adds up `tensor` over all processes, in place.
  void all_reduce(at::Tensor tensor) { all_reduce_async(std::move(tensor))->wait(); }
  virtual std::unique_ptr<Pending> all_reduce_async(at::Tensor tensor);

  /// Overwrites `tensor` with that of process `root`, in place.
  virtual void broadcast(at::Tensor tensor, int root);

  /// Sends `tensors` to the next process of the ring and returns the previous one's, which must
  /// have the same shapes except for the first dimension.
  virtual std::vector<at::Tensor> shift(const std::vector<at::Tensor>& tensors) { return tensors; }

  /// The first process's text.
  std::string broadcast_text(const std::string& text);
};

}  // namespace openclip::train
