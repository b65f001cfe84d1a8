#include "serve/formats/float_json.h"

#include <charconv>

#include "serve/formats/base64.h"

namespace openclip {

void append_json(std::span<const float> values, std::string* out) {
  out->reserve(out->size() + values.size() * 13);
  *out += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) *out += ',';
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, values[i]).ptr;
    out->append(text, end);
  }
  *out += ']';
}

void append_base64(std::span<const float> values, std::string* out) {
  *out += '"';
  *out += base64_encode({reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()});
  *out += '"';
}

}  // namespace openclip
