// Adds up the processes' gradients while they are still being computed.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "dist/communicator.h"
#include "model/tensor_store.h"

namespace openclip::train {

/// Trainable tensors are grouped into buckets; as soon as back-propagation has finished the last
/// gradient of a bucket, its sum over all processes is under way. After the first step the buckets
/// follow the order in which gradients really come. In a job of one process it does nothing.
class GradientReducer {
 public:
  /// The stores must outlive it, and keep their tensors.
  GradientReducer(const std::vector<TensorStore*>& stores, Communicator& processes,
                  int64_t bucket_bytes = int64_t{25} << 20);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// The next backward pass is the last one of this step.
  void begin();

  /// Returns when every gradient is the sum over all processes. A tensor that got a gradient
  /// nowhere has none.
  void finish();

 private:
  class Hook;
  struct Slot {
    at::Tensor parameter;
    int64_t offset = 0;  // in its bucket
    size_t bucket = 0;
    bool ready = false, used = false;
  };
  struct Bucket {
    std::vector<size_t> slots;
    at::Tensor memory;
    size_t missing = 0;
    std::unique_ptr<Pending> sum;
  };

  void arrange(const std::vector<size_t>& order);
  void ready(size_t slot);
  void start_complete_buckets();
  void drop_unused();
  void follow_observed_order();

  Communicator& processes_;
  const int64_t bucket_bytes_;
  std::vector<Slot> slots_;
  std::vector<Bucket> buckets_;
  size_t next_bucket_ = 0;  // all processes must start them in the same order
  bool armed_ = false, ordered_ = false;
  std::vector<size_t> observed_;
  std::vector<size_t> agreed_;  // what the buckets follow from the next step on: their memory still
                                // holds the gradients of this one
};

}  // namespace openclip::train
