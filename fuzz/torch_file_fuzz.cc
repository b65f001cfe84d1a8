// Any bytes as a file of torch.save: tensors whose bytes can all be read, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/torch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const bool is_zip = size > 0 && data[0] == 'P';
    const auto read = is_zip ? openclip::read_torch_zip : openclip::read_torch_legacy;
    volatile uint8_t sum = 0;
    for (const auto& [name, tensor] : read("fuzz", {data, size}, nullptr)) {
      const openclip::HeldTensor held = tensor.load();
      const auto count = static_cast<size_t>(openclip::element_count(tensor.shape()));
      if (held.view.bytes.size() != count * openclip::dtype_size(tensor.dtype())) std::abort();
      for (const uint8_t byte : held.view.bytes) sum = sum + byte;
    }
  } catch (const openclip::Error&) {
  }
  return 0;
}
