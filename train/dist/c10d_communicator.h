// A Communicator on any backend of c10d. Included only where c10d is anyway.
#pragma once

#include <memory>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <vector>

#include "dist/communicator.h"

namespace openclip::train {

class C10dCommunicator : public Communicator {
 public:
  explicit C10dCommunicator(c10::intrusive_ptr<c10d::Backend> backend)
      : backend_(std::move(backend)) {}

  int rank() const override { return backend_->getRank(); }
  int size() const override { return backend_->getSize(); }
  GatheredRows gather_rows(const at::Tensor& rows) override;
  std::unique_ptr<Pending> all_reduce_async(at::Tensor tensor) override;
  void broadcast(at::Tensor tensor, int root) override;
  std::vector<at::Tensor> shift(const std::vector<at::Tensor>& tensors) override;

 private:
  at::Tensor exchange(const at::Tensor& out, at::Tensor in);

  c10::intrusive_ptr<c10d::Backend> backend_;
};

}  // namespace openclip::train
