#include <nlohmann/json.hpp>

#include "base/error.h"
#include "models/factory.h"
#include "models/tokenizer_source.h"
#include "text/hf_folder.h"
#include "text/vocabulary.h"

namespace openclip {
namespace {

// text_cfg.tokenizer_kwargs of the config; open_clip passes them to its HFTokenizer.
HfTokenizer::Options tokenizer_options(const ModelConfig& config, const std::string& source) {
  HfTokenizer::Options options;
  options.context_length = config.text.context_length;
  const auto model = nlohmann::json::parse(config.model_cfg_json);
  const auto kwargs = model.at("text_cfg").value("tokenizer_kwargs", nlohmann::json::object());
  for (const auto& [key, value] : kwargs.items()) {
    if (key == "strip_sep_token" && value.is_boolean())
      options.strip_sep_token = value.get<bool>();
    else if (key == "clean" && value == "canonicalize")
      options.clean = CleanMode::canonicalize;
    else if (key == "clean" && value == "lower")
      options.clean = CleanMode::lower;
    else if (!(key == "clean" && value == "whitespace") && !value.is_null() && value != false)
      throw Unsupported(
          fmt::format("{}: tokenizer option '{}' = {} is not supported by this engine", source, key,
                      value.dump()));
  }
  return options;
}

// An id beyond the embedding would read past its table.
void check_vocabulary(const Tokenizer& tokenizer, const TextConfig& config,
                      const std::string& source) {
  if (tokenizer.vocab_size() > config.vocab_size)
    throw ParseError(source, fmt::format("the tokenizer has {} tokens, more than the model's {}",
                                         tokenizer.vocab_size(), config.vocab_size));
}

}  // namespace

std::unique_ptr<const Tokenizer> load_tokenizer(const ModelSource& source,
                                                const FetchPolicy& fetch) {
  const ModelConfig& config = source.config;
  if (config.text.hf_tokenizer_name.empty()) {
    auto tokenizer = open_clip_vocabulary(config.text.context_length);
    check_vocabulary(*tokenizer, config.text, config.name);
    return tokenizer;
  }
  const std::string folder = find_tokenizer_folder(source, fetch);
  auto tokenizer = open_hf_folder(folder, tokenizer_options(config, folder));
  check_vocabulary(*tokenizer, config.text, folder);
  return tokenizer;
}

}  // namespace openclip
