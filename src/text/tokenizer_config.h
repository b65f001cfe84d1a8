// tokenizer_config.json and special_tokens_map.json of transformers. Rank 3.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace openclip {

/// What a folder says about its tokenizer beside the vocabulary; all of it may be absent.
class TokenizerConfig {
 public:
  /// Throws: IoError, ParseError.
  static TokenizerConfig read(const std::string& folder);

  /// "pad_token" and the like: a string, or an object with its content; empty if there is none. As
  /// in transformers, special_tokens_map.json is asked before tokenizer_config.json, unless that is
  /// of the newer kind that lists all added tokens: Stable Diffusion 2 has another token in each.
  std::string token(const std::string& key) const;

  /// "tokenizer_class" without the ending "Fast"; empty if there is none.
  std::string tokenizer_class() const;

  /// Also with the value null.
  bool has(const std::string& key) const { return config_.contains(key); }

  bool flag(const std::string& key, bool fallback) const;

 private:
  nlohmann::json config_, special_tokens_;
};

}  // namespace openclip
