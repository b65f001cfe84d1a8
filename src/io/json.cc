#include "io/json.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

// Counts brackets outside strings before the parser allocates anything for them.
void check_depth(const std::string& source, std::string_view text, int max_depth) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth)
        throw ParseError(source,
                         fmt::format("JSON nested deeper than {} at byte {}", max_depth, i));
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

// Sees each key as it is parsed; one set of keys per open object.
class UniqueKeys {
 public:
  explicit UniqueKeys(std::string source) : source_(std::move(source)) {}
  bool operator()(int, Json::parse_event_t event, const Json& value) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!open_.back().insert(key).second)
        throw ParseError(source_, fmt::format("JSON object repeats the key \"{}\"", key));
    }
    return true;
  }

 private:
  std::string source_;
  std::vector<std::set<std::string>> open_;
};

[[noreturn]] void wrong_type(const std::string& source, std::string_view key, const char* wanted,
                             const Json& value) {
  throw ParseError(source,
                   fmt::format("\"{}\" must be {}, got {}", key, wanted, value.type_name()));
}

const Json& require(const std::string& source, const Json& object, std::string_view key) {
  const Json* value = json_find(object, key);
  if (value == nullptr) throw ParseError(source, fmt::format("\"{}\" is missing", key));
  return *value;
}

}  // namespace

Json parse_json(const std::string& source, std::string_view text, const JsonOptions& options) {
  if (text.size() > options.max_bytes)
    throw ParseError(source, fmt::format("{} bytes of JSON, more than the limit of {}", text.size(),
                                         options.max_bytes));
  check_depth(source, text, options.max_depth);
  Json::parser_callback_t callback;
  if (options.unique_keys)
    callback = [keys = std::make_shared<UniqueKeys>(source)](int depth, Json::parse_event_t event,
                                                             Json& value) {
      return (*keys)(depth, event, value);
    };
  try {
    return Json::parse(text.begin(), text.end(), callback, true, options.allow_comments);
  } catch (const Json::parse_error& error) {
    throw ParseError(source, fmt::format("not valid JSON at byte {}",
                                         error.byte > 0 ? error.byte - 1 : error.byte));
  } catch (const Json::exception&) {  // a number beyond double
    throw ParseError(source, "not valid JSON: a number is out of range");
  }
}

Json read_json_file(const std::string& path, const JsonOptions& options) {
  return parse_json(path, read_text_file(path, options.max_bytes), options);
}

const Json* json_find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

template <>
bool json_get<bool>(const std::string& source, const Json& object, std::string_view key) {
  const Json& value = require(source, object, key);
  if (!value.is_boolean()) wrong_type(source, key, "true or false", value);
  return value.get<bool>();
}

template <>
int64_t json_get<int64_t>(const std::string& source, const Json& object, std::string_view key) {
  const Json& value = require(source, object, key);
  if (value.is_number_float()) {  // 224.0 is an integer to Python's callers too
    const double number = value.get<double>();
    if (std::abs(number) < 0x1p53 && number == std::trunc(number))
      return static_cast<int64_t>(number);
  }
  const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX};
  if (!value.is_number_integer() || too_large) wrong_type(source, key, "an integer", value);
  return value.get<int64_t>();
}

template <>
double json_get<double>(const std::string& source, const Json& object, std::string_view key) {
  const Json& value = require(source, object, key);
  if (!value.is_number()) wrong_type(source, key, "a number", value);
  return value.get<double>();
}

template <>
std::string json_get<std::string>(const std::string& source, const Json& object,
                                  std::string_view key) {
  const Json& value = require(source, object, key);
  if (!value.is_string()) wrong_type(source, key, "a string", value);
  return value.get<std::string>();
}

}  // namespace openclip
