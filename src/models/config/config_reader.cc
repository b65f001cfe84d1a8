#include "models/config/config_reader.h"

#include "base/error.h"

namespace openclip {
namespace {
constexpr int64_t kMaxSize = 1 << 24;
}

nlohmann::json parse_config(const std::string& text, const std::string& source) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw ParseError(source, "is not valid JSON");
  if (!json.is_object()) throw ParseError(source, "must hold a JSON object");
  return json;
}

ConfigReader::ConfigReader(const nlohmann::json& object, std::string source)
    : object_(object), source_(std::move(source)) {
  if (!object.is_object()) throw ParseError(source_, "must be a JSON object");
}

const nlohmann::json& ConfigReader::get(const char* key) {
  seen_.insert(key);
  return object_.at(key);
}

int ConfigReader::integer(const char* key, int fallback, int64_t least) {
  seen_.insert(key);
  if (!has(key)) return fallback;
  const nlohmann::json& value = object_.at(key);
  if (!value.is_number_integer()) fail(key, "must be an integer");
  const int64_t number = value.get<int64_t>();
  if (number < least || number > kMaxSize) fail(key, fmt::format("is out of range: {}", number));
  return static_cast<int>(number);
}

double ConfigReader::number(const char* key, double fallback) {
  seen_.insert(key);
  if (!has(key)) return fallback;
  if (!object_.at(key).is_number()) fail(key, "must be a number");
  return object_.at(key).get<double>();
}

bool ConfigReader::boolean(const char* key, bool fallback) {
  seen_.insert(key);
  if (!has(key)) return fallback;
  if (!object_.at(key).is_boolean()) fail(key, "must be true or false");
  return object_.at(key).get<bool>();
}

std::string ConfigReader::text(const char* key, const std::string& fallback) {
  seen_.insert(key);
  if (!has(key)) return fallback;
  if (!object_.at(key).is_string()) fail(key, "must be a string");
  return object_.at(key).get<std::string>();
}

void ConfigReader::skip(std::initializer_list<const char*> keys) {
  for (const char* key : keys) seen_.insert(key);
}

void ConfigReader::refuse_unknown() const {
  for (const auto& [key, value] : object_.items()) {
    const bool off = value.is_boolean() && !value.get<bool>();
    const bool blank = value.is_string() && value.get_ref<const std::string&>().empty();
    if (seen_.count(key) || value.is_null() || off || blank) continue;
    unsupported(fmt::format("option '{}' = {} is not supported by this engine", key, value.dump()));
  }
}

void ConfigReader::fail(const char* key, const std::string& problem) const {
  throw ParseError(source_, fmt::format("'{}' {}", key, problem));
}

void ConfigReader::unsupported(const std::string& problem) const {
  throw Unsupported(fmt::format("{}: {}", source_, problem));
}

}  // namespace openclip
