// Reading members of a tokenizer.json that may be absent. Rank 3.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace openclip::hf_json {

using Json = nlohmann::json;

inline constexpr int64_t kMaxTokens = 1 << 22;

/// null if there is none.
inline const Json& member(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

/// Empty for anything but a string.
inline std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

inline bool is_true(const Json& value) { return value.is_boolean() && value.get<bool>(); }
inline bool is_true(const Json& value, bool fallback) {
  return value.is_boolean() ? value.get<bool>() : fallback;
}

inline int32_t token_id(const Json& value, const std::string& source) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() >= uint64_t{kMaxTokens})
    throw ParseError(source, "a token id is not a natural number below 2^22");
  return value.get<int32_t>();
}

[[noreturn]] inline void unsupported(const std::string& source, const std::string& what) {
  throw Unsupported(fmt::format("{}: this engine cannot run this tokenizer: {}", source, what));
}

}  // namespace openclip::hf_json
