// Sums over the processes of one machine, in memory that they share.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "dist/communicator.h"

namespace openclip::train {

/// Another communicator, whose sum_buffer() gives memory (memfd) that all processes map: for a sum
/// each adds up its part of all buffers and copies the others' parts, so that a gradient is read
/// twice and not sent through sockets. Messages only say that a step is done, which also notices a
/// process that is gone. Where the processes cannot map each other's memory (several machines,
/// other users, containers), they notice that together and send messages as before.
class SameMachineCommunicator : public Communicator {
 public:
  explicit SameMachineCommunicator(std::unique_ptr<Communicator> messages);
  ~SameMachineCommunicator() override;

  int rank() const override { return messages_->rank(); }
  int size() const override { return messages_->size(); }
  GatheredRows gather_rows(const at::Tensor& rows) override { return messages_->gather_rows(rows); }
  std::unique_ptr<Pending> all_reduce_async(at::Tensor tensor) override;
  at::Tensor sum_buffer(int64_t elements, const at::TensorOptions& options) override;
  void broadcast(at::Tensor tensor, int root) override { messages_->broadcast(tensor, root); }
  std::vector<at::Tensor> shift(const std::vector<at::Tensor>& tensors) override {
    return messages_->shift(tensors);
  }

 private:
  class Buffer;
  class Sum;

  std::shared_ptr<Buffer> open_buffer(int64_t elements);

  std::unique_ptr<Communicator> messages_;
  std::map<const void*, std::weak_ptr<Buffer>> buffers_;  // by the address of this process's own
  bool works_ = true;
};

}  // namespace openclip::train
