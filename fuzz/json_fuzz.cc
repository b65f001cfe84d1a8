// Any bytes as JSON: a value or a ParseError, with and without the check for repeated keys.
#include <cstdint>

#include "base/error.h"
#include "io/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool unique_keys : {false, true}) {
    try {
      const auto json = openclip::parse_json("fuzz", text, {.unique_keys = unique_keys});
      openclip::json_get_or<int64_t>("fuzz", json, "a", 0);
    } catch (const openclip::ParseError&) {
    }
  }
  return 0;
}
