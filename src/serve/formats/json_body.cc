#include "serve/formats/json_body.h"

#include <cmath>

#include "base/error.h"
#include "serve/http/call.h"

namespace openclip {
namespace {

// An upper bound: commas and opening brackets outside of strings.
bool too_many_values(std::string_view text, size_t max_values) {
  size_t values = 1;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else
        in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == ',' || c == '[' || c == '{') {
      if (++values > max_values) return true;
    }
  }
  return false;
}

[[noreturn]] void fail(const char* what, const std::string& problem) {
  throw ParseError(kBody, fmt::format("'{}' {}", what, problem));
}

}  // namespace

Json parse_json_body(std::string_view body, const RequestLimits& limits) {
  if (body.empty()) throw ParseError(kBody, "is empty; send a JSON object");
  if (too_many_values(body, limits.max_json_values))
    throw ParseError(kBody, fmt::format("more than {} JSON values", limits.max_json_values));
  Json json =
      parse_json(kBody, body, {.max_bytes = body.size(), .max_depth = limits.max_json_depth});
  if (!json.is_object()) throw ParseError(kBody, "is not a JSON object");
  return json;
}

std::vector<float> json_floats(const Json& array, const char* what, size_t max_count) {
  if (!array.is_array()) fail(what, "must be a list of numbers");
  if (array.size() > max_count) fail(what, fmt::format("has more than {} numbers", max_count));
  std::vector<float> out;
  out.reserve(array.size());
  for (const Json& item : array) {
    if (!item.is_number()) fail(what, "must be a list of numbers");
    out.push_back(static_cast<float>(item.get<double>()));
    if (!std::isfinite(out.back())) fail(what, "holds a number that float32 cannot");
  }
  return out;
}

std::vector<std::string> json_strings(const Json& value, const char* what, size_t max_count) {
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array()) fail(what, "must be a string or a list of strings");
  if (value.size() > max_count) fail(what, fmt::format("has more than {} entries", max_count));
  std::vector<std::string> out;
  for (const Json& item : value) {
    if (!item.is_string()) fail(what, "must be a string or a list of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

}  // namespace openclip
