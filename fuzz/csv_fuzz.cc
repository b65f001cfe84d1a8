// Any bytes as CSV: records within the limits, or an error.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "io/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  openclip::CsvReader reader("fuzz", {reinterpret_cast<const char*>(data), size},
                             {.max_columns = 64, .max_record_bytes = 4096});
  try {
    while (const auto record = reader.next())
      if (record->empty() || record->size() > 64 || reader.line() == 0) std::abort();
  } catch (const openclip::Error&) {
  }
  return 0;
}
