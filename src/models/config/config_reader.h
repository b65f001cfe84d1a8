// Reading a JSON object of a model's config, typed and checked. Part of rank 4, free of tensors.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace openclip {

/// A config's text as JSON. Throws: ParseError naming `source` for what is no JSON object.
nlohmann::json parse_config(const std::string& text, const std::string& source);

/// Reads typed members of one JSON object and remembers which were read, so that options this
/// engine does not have are refused by name instead of being ignored. A member that is null counts
/// as absent. The object must outlive the reader.
class ConfigReader {
 public:
  /// source: the file and place, for errors. Throws: ParseError if `object` is no JSON object.
  ConfigReader(const nlohmann::json& object, std::string source);

  bool has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }
  /// The member is there, and is null.
  bool is_null(const char* key) const { return object_.contains(key) && object_.at(key).is_null(); }
  const std::string& source() const { return source_; }

  /// The member as it stands; it must be there.
  const nlohmann::json& get(const char* key);

  /// From `least` to 2^24: far above any published model, low enough that products of two stay
  /// within 64 bits. Throws: ParseError for other types and values, as all that follow.
  int integer(const char* key, int fallback, int64_t least = 1);
  double number(const char* key, double fallback);
  bool boolean(const char* key, bool fallback);
  std::string text(const char* key, const std::string& fallback);

  /// Marks members that do not matter here.
  void skip(std::initializer_list<const char*> keys);

  /// Everything not read must be absent, null, false or an empty string. Throws: Unsupported.
  void refuse_unknown() const;

  /// Throws: ParseError "SOURCE: 'key' problem".
  [[noreturn]] void fail(const char* key, const std::string& problem) const;
  /// Throws: Unsupported "SOURCE: problem".
  [[noreturn]] void unsupported(const std::string& problem) const;

 private:
  const nlohmann::json& object_;
  std::string source_;
  std::set<std::string> seen_;
};

}  // namespace openclip
