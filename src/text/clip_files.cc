#include "text/clip_files.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/byte_symbols.h"
#include "text/clip_tokenizer.h"
#include "text/file_limits.h"
#include "text/tokenizer_config.h"
#include "text/utf8.h"

namespace openclip {
namespace {

using Json = nlohmann::json;

constexpr const char* kStart = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

Json added_token(const Json& vocab, const char* content) {
  return {{"id", vocab.at(content)}, {"content", content}, {"single_word", false},
          {"lstrip", false},         {"rstrip", false},    {"normalized", false},
          {"special", true}};
}

// What transformers' CLIPTokenizer builds from a vocabulary and its merges. A padding token of its
// own is found in texts as well, before they are split into words: "!" in Stable Diffusion 2.
Json tokenizer_json(const std::string& source, const Json& vocab, const Json& merges,
                    const std::string& pad_token = "") {
  for (const char* token : {kStart, kEnd})
    if (!vocab.contains(token)) throw ParseError(source, fmt::format("lacks the token {}", token));
  const Json split = {
      {"type", "Split"},
      {"pattern",
       Json::object(
           {{"Regex",
             R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)"}})},
      {"behavior", "Removed"},
      {"invert", true}};
  const Json bytes = {{"type", "ByteLevel"},
                      {"add_prefix_space", false},
                      {"trim_offsets", true},
                      {"use_regex", true}};
  Json added = Json::array({added_token(vocab, kStart), added_token(vocab, kEnd)});
  if (pad_token != kStart && pad_token != kEnd && vocab.contains(pad_token))
    added.push_back(added_token(vocab, pad_token.c_str()));
  const Json spaces = {
      {"type", "Replace"}, {"pattern", Json::object({{"Regex", R"(\s+)"}})}, {"content", " "}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers", Json::array({Json::object({{"type", "NFC"}}), spaces,
                                         Json::object({{"type", "Lowercase"}})})}}},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", Json::array({split, bytes})}}},
          {"post_processor",
           {{"type", "RobertaProcessing"},
            {"sep", Json::array({kEnd, vocab.at(kEnd)})},
            {"cls", Json::array({kStart, vocab.at(kStart)})},
            {"trim_offsets", false},
            {"add_prefix_space", false}}},
          {"decoder", bytes},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", kEnd},
            {"continuing_subword_prefix", ""},
            {"end_of_word_suffix", "</w>"},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"vocab", vocab},
            {"merges", merges}}}};
}

// "#version: 0.2", then one pair a line.
Json merges_of(const std::string& source, const std::vector<std::string>& lines, size_t most) {
  Json merges = Json::array();
  for (const std::string& line : lines) {
    if (merges.empty() && line.starts_with("#version")) continue;
    if (merges.size() == most) break;
    const size_t space = line.find(' ');
    if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
      throw ParseError(source, fmt::format("merge {} is not two tokens", merges.size() + 1));
    merges.push_back(Json::array({line.substr(0, space), line.substr(space + 1)}));
  }
  return merges;
}

// What transformers' RobertaTokenizer builds of its two files.
Json roberta_json(const std::string& source, const Json& vocab, const Json& merges,
                  const std::string& /*pad_token*/) {
  Json added = Json::array();
  for (const char* token : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) {
    if (!vocab.contains(token)) throw ParseError(source, fmt::format("lacks the token {}", token));
    added.push_back(added_token(vocab, token));
  }
  added.back()["lstrip"] = true;  // <mask> takes the space before it along
  return {
      {"added_tokens", added},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
      {"post_processor",
       {{"type", "RobertaProcessing"},
        {"sep", Json::array({"</s>", vocab.at("</s>")})},
        {"cls", Json::array({"<s>", vocab.at("<s>")})}}},
      {"model", {{"type", "BPE"}, {"dropout", nullptr}, {"vocab", vocab}, {"merges", merges}}}};
}

using Writer = Json (*)(const std::string& source, const Json& vocab, const Json& merges,
                        const std::string& pad_token);

std::unique_ptr<HfTokenizer> load_files(const std::string& folder, Writer write,
                                        HfTokenizer::Options options) {
  const std::filesystem::path path = folder;
  const std::string vocab_path = (path / "vocab.json").string();
  const std::string merges_path = (path / "merges.txt").string();
  const std::string text = read_text_file(vocab_path, kMaxTokenizerFileBytes);
  const Json vocab = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (vocab.is_discarded() || !vocab.is_object()) throw ParseError(vocab_path, "is no JSON object");
  const Json merges = merges_of(
      merges_path, lines_of(read_text_file(merges_path, kMaxTokenizerFileBytes)), SIZE_MAX);
  if (options.pad_token.empty())
    options.pad_token = TokenizerConfig::read(folder).token("pad_token");
  return std::make_unique<HfTokenizer>(
      vocab_path, write(vocab_path, vocab, merges, options.pad_token).dump(), options);
}

}  // namespace

std::unique_ptr<HfTokenizer> load_clip_files(const std::string& folder,
                                             HfTokenizer::Options options) {
  return load_files(folder, tokenizer_json, std::move(options));
}

std::unique_ptr<HfTokenizer> load_roberta_files(const std::string& folder,
                                                HfTokenizer::Options options) {
  return load_files(folder, roberta_json, std::move(options));
}

std::map<std::string, std::string> clip_vocabulary_files(const std::string& source,
                                                         const std::string& merges_text,
                                                         int context_length) {
  std::vector<std::string> lines = lines_of(merges_text);
  if (!lines.empty()) lines.erase(lines.begin());  // a title
  const Json merges = merges_of(source, lines, ClipTokenizer::kMergeCount);
  Json vocab = Json::object();
  const auto add = [&](const std::string& token) {
    const size_t id = vocab.size();
    vocab[token] = id;
  };
  for (const char* suffix : {"", "</w>"})
    for (const unsigned char byte : bytes_in_clip_order()) {
      std::string symbol;
      append_utf8(byte_symbol(byte), &symbol);
      add(symbol + suffix);
    }
  std::string merges_file = "#version: 0.2\n";
  for (const Json& pair : merges) {
    const auto left = pair[0].get<std::string>(), right = pair[1].get<std::string>();
    add(left + right);
    merges_file += left + " " + right + "\n";
  }
  add(kStart);
  add(kEnd);
  const Json specials = {
      {"bos_token", kStart}, {"eos_token", kEnd}, {"unk_token", kEnd}, {"pad_token", kEnd}};
  Json config = specials;
  config["tokenizer_class"] = "CLIPTokenizer";
  config["model_max_length"] = context_length;
  config["do_lower_case"] = true;
  config["add_prefix_space"] = false;
  return {{"vocab.json", vocab.dump() + "\n"},
          {"merges.txt", merges_file},
          {"tokenizer.json", tokenizer_json(source, vocab, merges).dump() + "\n"},
          {"tokenizer_config.json", config.dump(2) + "\n"},
          {"special_tokens_map.json", specials.dump(2) + "\n"}};
}

}  // namespace openclip
