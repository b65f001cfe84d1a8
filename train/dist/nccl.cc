#include "dist/nccl.h"

#include <dlfcn.h>

#include "base/error.h"

namespace openclip::train {

std::unique_ptr<Communicator> connect_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                           int size, const at::Device& device) {
  using Connect = Communicator*(const c10::intrusive_ptr<c10d::Store>&, int, int, at::Device);
  void* library = ::dlopen("libopenclip_train_nccl.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw Unsupported(fmt::format(
        "--dist-backend nccl: {}; this build lacks it (it needs libtorch with CUDA and nccl.h), "
        "--dist-backend gloo works on GPUs too, slowly",
        ::dlerror()));
  auto* connect = reinterpret_cast<Connect*>(::dlsym(library, "openclip_train_connect_nccl"));
  if (connect == nullptr) throw Internal("libopenclip_train_nccl.so is of another version");
  return std::unique_ptr<Communicator>(connect(store, rank, size, device));
}

}  // namespace openclip::train
