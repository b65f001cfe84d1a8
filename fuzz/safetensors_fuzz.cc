// Any bytes as safetensors: tensors that tile the data, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    openclip::StringMap metadata;
    size_t total = 0;
    for (const auto& [name, view] : openclip::parse_safetensors("fuzz", {data, size}, &metadata)) {
      const auto count = static_cast<size_t>(openclip::element_count(view.shape));
      if (count * openclip::dtype_size(view.dtype) != view.bytes.size()) std::abort();
      total += view.bytes.size();
    }
    if (total > size) std::abort();
  } catch (const openclip::Error&) {
  }
  return 0;
}
