// Any bytes as a zip archive: entries inside of it, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/zip_archive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    size_t total = 0;
    for (const auto& [name, entry] : openclip::parse_zip("fuzz", {data, size})) {
      if (entry.data.data() < data || entry.data.data() + entry.data.size() > data + size)
        std::abort();
      total += entry.data.size();
    }
    if (total > size) std::abort();
  } catch (const openclip::Error&) {
  }
  return 0;
}
