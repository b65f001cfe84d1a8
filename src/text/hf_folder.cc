#include "text/hf_folder.h"

#include <array>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "text/bert_files.h"
#include "text/clip_files.h"
#include "text/file_limits.h"
#include "text/sentencepiece_definition.h"
#include "text/tokenizer_config.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;

constexpr std::array kSentencePieceNames = {"spiece.model", "sentencepiece.bpe.model",
                                            "tokenizer.model"};

std::optional<fs::path> sentencepiece_path(const fs::path& folder) {
  for (const char* name : kSentencePieceNames)
    if (is_file(folder / name)) return folder / name;
  return std::nullopt;
}

SentencePieceFamily family_of(const std::string& tokenizer_class, const fs::path& path) {
  if (tokenizer_class == "T5Tokenizer" || tokenizer_class == "MT5Tokenizer" ||
      tokenizer_class == "SiglipTokenizer")
    return SentencePieceFamily::t5;
  if (tokenizer_class == "XLMRobertaTokenizer") return SentencePieceFamily::xlm_roberta;
  if (tokenizer_class == "GemmaTokenizer") return SentencePieceFamily::gemma;
  if (!tokenizer_class.empty())
    throw Unsupported(
        fmt::format("{}: sentencepiece models of a {} are not known; save its tokenizer.json",
                    path.string(), tokenizer_class));
  if (path.filename() == "spiece.model") return SentencePieceFamily::t5;
  if (path.filename() == "tokenizer.model") return SentencePieceFamily::gemma;
  return SentencePieceFamily::xlm_roberta;
}

// T5's default is yes, but null, which is what its fast class saves, is no.
bool has_prefix_space(const TokenizerConfig& config) {
  return !config.has("add_prefix_space") || config.flag("add_prefix_space", false);
}

std::unique_ptr<HfTokenizer> open_sentencepiece(const fs::path& path, const TokenizerConfig& config,
                                                HfTokenizer::Options options) {
  const SentencePieceOptions how = {.family = family_of(config.tokenizer_class(), path),
                                    .add_start = config.flag("add_bos_token", true),
                                    .add_end = config.flag("add_eos_token", false),
                                    .prefix_space = has_prefix_space(config),
                                    .legacy = config.flag("legacy", true)};
  // SigLIP's class pads with the end token, T5's with a token of its own.
  if (options.pad_token.empty() && config.tokenizer_class() == "SiglipTokenizer")
    options.pad_token = "</s>";
  const std::string bytes = read_text_file(path.string(), kMaxTokenizerFileBytes);
  return std::make_unique<HfTokenizer>(
      path.string(), sentencepiece_definition(path.string(), bytes, how), std::move(options));
}

}  // namespace

bool has_hf_tokenizer(const std::string& folder) {
  const fs::path path = folder;
  return is_file(path / "tokenizer.json") || is_file(path / "vocab.txt") ||
         (is_file(path / "vocab.json") && is_file(path / "merges.txt")) ||
         sentencepiece_path(path).has_value();
}

std::vector<std::string> hf_tokenizer_files(const std::string& folder) {
  std::vector<std::string> files;
  const auto add = [&](const char* name) {
    if (const fs::path path = fs::path(folder) / name; is_file(path))
      files.push_back(path.string());
  };
  add("tokenizer.json");
  if (!files.empty()) return files;
  for (const char* name : {"tokenizer_config.json", "vocab.json", "merges.txt", "vocab.txt"})
    add(name);
  for (const char* name : kSentencePieceNames) add(name);
  return files;
}

std::unique_ptr<HfTokenizer> open_hf_folder(const std::string& folder,
                                            HfTokenizer::Options options) {
  const fs::path path = folder;
  if (is_file(path / "tokenizer.json"))
    return HfTokenizer::open((path / "tokenizer.json").string(), std::move(options));
  const TokenizerConfig config = TokenizerConfig::read(folder);
  if (options.pad_token.empty()) options.pad_token = config.token("pad_token");
  if (is_file(path / "vocab.json") && is_file(path / "merges.txt"))
    return config.tokenizer_class() == "RobertaTokenizer"
               ? load_roberta_files(folder, std::move(options))
               : load_clip_files(folder, std::move(options));
  if (const auto model = sentencepiece_path(path))
    return open_sentencepiece(*model, config, std::move(options));
  if (is_file(path / "vocab.txt"))
    return load_bert_vocabulary((path / "vocab.txt").string(), config, std::move(options));
  throw NotFound(
      fmt::format("{}: no tokenizer: neither tokenizer.json nor vocab.json with merges.txt, {} or "
                  "vocab.txt",
                  folder, fmt::join(kSentencePieceNames, ", ")));
}

}  // namespace openclip
