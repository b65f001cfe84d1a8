// Reading the config.json of transformers' models. Part of rank 4, free of tensors.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "models/config/model_config.h"

namespace openclip::transformers_files {

/// Typed members of one object, with transformers' defaults for absent and null ones.
class Section {
 public:
  Section(nlohmann::json object, std::string source)
      : object_(std::move(object)), source_(std::move(source)) {}

  int natural(const char* key, int fallback) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return fallback;
    // Sizes may be given as [height, width].
    if (value->is_array() && value->size() == 2 && (*value)[0] == (*value)[1]) value = &(*value)[0];
    if (!value->is_number_integer() || *value < 1 || *value > (1 << 24))
      fail(key, "must be a natural number");
    return value->get<int>();
  }
  double number(const char* key, double fallback) const {
    const nlohmann::json* value = find(key);
    if (value != nullptr && !value->is_number()) fail(key, "must be a number");
    return value == nullptr ? fallback : value->get<double>();
  }
  bool boolean(const char* key, bool fallback) const {
    const nlohmann::json* value = find(key);
    if (value != nullptr && !value->is_boolean()) fail(key, "must be true or false");
    return value == nullptr ? fallback : value->get<bool>();
  }
  std::string text(const char* key, const std::string& fallback) const {
    const nlohmann::json* value = find(key);
    if (value != nullptr && !value->is_string()) fail(key, "must be a string");
    return value == nullptr ? fallback : value->get<std::string>();
  }
  const nlohmann::json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  [[noreturn]] void fail(const char* key, const std::string& problem) const {
    throw ParseError(source_, fmt::format("'{}' {}", key, problem));
  }

 private:
  nlohmann::json object_;
  std::string source_;
};

/// hidden_act. Throws: ParseError for one that this engine does not have.
Activation activation_of(const Section& section, const char* fallback = "quick_gelu");

/// The ratio for which int(width * ratio), as open_clip computes it, is the wanted width.
double mlp_ratio(int width, int mlp_width);

/// open_clip's model_cfg of a SiglipModel, whose image tower open_clip takes from timm. tokenizer:
/// what text_cfg.hf_tokenizer_name becomes, empty = SigLIP's. Throws: ParseError.
nlohmann::ordered_json siglip_model_cfg(const Section& vision, const Section& text,
                                        const std::string& tokenizer);

}  // namespace openclip::transformers_files
