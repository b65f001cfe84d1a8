// JSON in: size, depth and duplicate limits around nlohmann-json, and typed look-ups whose errors
// name the file and the key. Rank 3.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace openclip {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // keeps insertion order, for output

struct JsonOptions {
  size_t max_bytes = size_t{64} << 20;
  int max_depth = 64;           // nesting of arrays and objects
  bool unique_keys = false;     // an object that repeats a key is an error (else the last one wins)
  bool allow_comments = false;  // skip /* */ and //
};

/// Parses `text`; `source` names it in errors.
/// Throws: ParseError with the byte offset for anything that is not one JSON value within limits.
Json parse_json(const std::string& source, std::string_view text, const JsonOptions& options = {});

/// Reads and parses a file. Throws: NotFound, IoError, ParseError.
Json read_json_file(const std::string& path, const JsonOptions& options = {});

/// Member `key` of `object`, or null when it is absent or JSON null, or `object` is no object.
const Json* json_find(const Json& object, std::string_view key);

/// Member `key` as T: bool, int64_t (integral numbers only), double (any number), std::string.
/// Throws: ParseError naming the key when it is missing or of another type.
template <class T>
T json_get(const std::string& source, const Json& object, std::string_view key);

template <>
bool json_get<bool>(const std::string& source, const Json& object, std::string_view key);
template <>
int64_t json_get<int64_t>(const std::string& source, const Json& object, std::string_view key);
template <>
double json_get<double>(const std::string& source, const Json& object, std::string_view key);
template <>
std::string json_get<std::string>(const std::string& source, const Json& object,
                                  std::string_view key);

/// As json_get, with a value for a missing or null member; a wrong type still throws.
template <class T>
T json_get_or(const std::string& source, const Json& object, std::string_view key, T fallback) {
  return json_find(object, key) != nullptr ? json_get<T>(source, object, key) : fallback;
}

}  // namespace openclip
