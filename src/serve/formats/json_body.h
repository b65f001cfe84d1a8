// JSON bodies in, within limits on their nesting and number of values. Rank 6.
#pragma once

#include <string_view>

#include "io/json.h"
#include "serve/http/limits.h"

namespace openclip {

/// The body as one JSON object. A parsed value takes far more memory than its text ("[],"), so they
/// are counted before anything is parsed. Throws: ParseError.
Json parse_json_body(std::string_view body, const RequestLimits& limits);

/// Names the body in errors.
inline constexpr const char* kBody = "request body";

/// [1, 2.5, …] of any finite numbers. Throws: ParseError naming `what` and what is wrong.
std::vector<float> json_floats(const Json& array, const char* what, size_t max_count);

/// A string, or a list of them. Throws: as json_floats.
std::vector<std::string> json_strings(const Json& value, const char* what, size_t max_count);

}  // namespace openclip
