// Any bytes as a tar archive (plain, gzip, zstd): safe member names within the limits, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/tar.h"
#include "io/webdataset.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  openclip::TarOptions options;
  options.max_member_bytes = 1 << 20;
  options.max_total_bytes = 8 << 20;
  try {
    openclip::TarReader reader("fuzz", {data, size}, options);
    while (const auto member = reader.next()) {
      if (!openclip::is_safe_member_name(member->name)) std::abort();
      if (member->bytes.size() > options.max_member_bytes) std::abort();
    }
  } catch (const openclip::Error&) {
  }
  try {
    openclip::WebdatasetReader reader("fuzz", {data, size}, options);
    while (const auto sample = reader.next())
      if (sample->parts.empty()) std::abort();
  } catch (const openclip::Error&) {
  }
  return 0;
}
