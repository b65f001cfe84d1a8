// Any bytes as .npy: a header whose data lies inside the file, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto header = openclip::parse_npy("fuzz", {data, size});
    if (header.data_offset > size || header.data_bytes > size - header.data_offset) std::abort();
  } catch (const openclip::Error&) {
  }
  return 0;
}
