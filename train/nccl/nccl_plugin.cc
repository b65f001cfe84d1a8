// libopenclip_train_nccl.so: see dist/nccl.h.
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "dist/c10d_communicator.h"

extern "C" __attribute__((visibility("default"))) openclip::train::Communicator*
openclip_train_connect_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                            at::Device device) {
  auto backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size);
  backend->setBoundDeviceId(device);
  return new openclip::train::C10dCommunicator(std::move(backend));
}
