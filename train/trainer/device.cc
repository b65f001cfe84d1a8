#include "trainer/device.h"

#include <dlfcn.h>

#include "base/error.h"

namespace openclip::train {

at::Device open_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  check_arg(name.starts_with("cuda"), "--device {}: must be cpu or cuda[:N]", name);
  // libtorch_cuda registers its kernels when it is loaded.
  if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr)
    throw Unsupported(fmt::format("--device {}: {}", name, ::dlerror()));
  if (!at::hasCUDA()) throw Unsupported("--device " + name + ": no usable GPU");
  return at::Device(name);
}

bool has_fast_bf16(const at::Device& device) {
  if (!device.is_cpu()) return true;
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

void to_device(Batch& batch, const at::Device& device) {
  if (device.is_cpu()) return;
  for (at::Tensor* part : {&batch.pixels, &batch.ids, &batch.labels, &batch.hog, &batch.extra_ids,
                           &batch.extra_labels, &batch.views, &batch.rows})
    if (part->defined()) *part = part->to(device, /*non_blocking=*/true);
}

}  // namespace openclip::train
