#include "text/tokenizer_config.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "text/file_limits.h"

namespace openclip {
namespace {

using Json = nlohmann::json;

Json read_object(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return Json::object();
  Json json = Json::parse(read_text_file(path.string(), kMaxTokenizerFileBytes), nullptr,
                          /*allow_exceptions=*/false);
  if (json.is_discarded()) throw ParseError(path.string(), "not valid JSON");
  return json.is_object() ? json : Json::object();
}

std::string token_of(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  const bool has_content =
      found->is_object() && found->contains("content") && found->at("content").is_string();
  return has_content ? found->at("content").get<std::string>() : std::string();
}

}  // namespace

TokenizerConfig TokenizerConfig::read(const std::string& folder) {
  TokenizerConfig config;
  config.config_ = read_object(std::filesystem::path(folder) / "tokenizer_config.json");
  config.special_tokens_ = read_object(std::filesystem::path(folder) / "special_tokens_map.json");
  return config;
}

std::string TokenizerConfig::token(const std::string& key) const {
  if (!config_.contains("added_tokens_decoder"))
    if (std::string token = token_of(special_tokens_, key); !token.empty()) return token;
  return token_of(config_, key);
}

std::string TokenizerConfig::tokenizer_class() const {
  std::string name = token_of(config_, "tokenizer_class");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

bool TokenizerConfig::flag(const std::string& key, bool fallback) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

}  // namespace openclip
