// Any bytes as a FAISS index: vectors and ids that lie inside the file, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/faiss_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto found = openclip::parse_faiss("fuzz", {data, size});
    const auto count = static_cast<size_t>(found.count), dim = static_cast<size_t>(found.dim);
    if (found.vectors_offset > size || count > (size - found.vectors_offset) / (4 * dim))
      std::abort();
    if (found.ids_offset && (*found.ids_offset > size || count > (size - *found.ids_offset) / 8))
      std::abort();
  } catch (const openclip::Error&) {
  }
  return 0;
}
