#include "text/hf_definition.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/byte_symbols.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxTokens = 1 << 22;
// What transformers' CLIPTokenizer puts before the pattern since its version 5.
constexpr std::string_view kSpecialWords = R"(<\|startoftext\|>|<\|endoftext\|>|)";
constexpr std::string_view kClipPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";

class Parser {
 public:
  Parser(const std::string& source, std::string_view text) : source_(source) {
    try {
      root_ = Json::parse(text.begin(), text.end());
    } catch (const Json::exception&) {
      throw ParseError(source_, "not valid JSON");
    }
    if (!root_.is_object()) fail("not a tokenizer");
  }

  HfDefinition parse() {
    read_vocab(member(root_, "model"));
    HfDefinition definition{read_bpe(member(root_, "model"))};
    definition.ids = std::move(ids_);
    read_added_tokens(&definition);
    read_normalizer(member(root_, "normalizer"), &definition);
    read_pre_tokenizer(member(root_, "pre_tokenizer"), &definition);
    read_post_processor(member(root_, "post_processor"), &definition);
    if (const Json& padding = member(root_, "padding"); padding.is_object())
      definition.pad_id = token_id(member(padding, "pad_id"));
    if (definition.lower)
      for (AddedToken& token : definition.after)
        token.content = encode_utf8(simple_lower(decode_utf8(token.content)));
    for (auto* list : {&definition.before, &definition.after})
      std::stable_sort(list->begin(), list->end(), [](const AddedToken& a, const AddedToken& b) {
        return a.content.size() > b.content.size();
      });
    fill_token_bytes(&definition);
    return definition;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw ParseError(source_, problem); }
  [[noreturn]] void unsupported(const std::string& what) const {
    throw Unsupported(
        fmt::format("{}: {}; only CLIP's byte-pair tokenizers are supported", source_, what));
  }

  // The member, or JSON null when absent or `object` is no object.
  static const Json& member(const Json& object, const char* key) {
    static const Json null;
    if (!object.is_object()) return null;
    const auto found = object.find(key);
    return found == object.end() ? null : *found;
  }
  static std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
  }
  static bool is_true(const Json& value) { return value.is_boolean() && value.get<bool>(); }

  int32_t token_id(const Json& value) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() >= uint64_t{kMaxTokens})
      fail("a token id is not a natural number below 2^22");
    return value.get<int32_t>();
  }

  void read_vocab(const Json& model) {
    if (text_of(member(model, "type")) != "BPE") unsupported("its model is not BPE");
    const Json& vocab = member(model, "vocab");
    if (!vocab.is_object()) fail("model.vocab is missing");
    for (const auto& [token, id] : vocab.items()) ids_.emplace(token, token_id(id));
  }

  int32_t find(const std::string& token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? BpeModel::kNoToken : found->second;
  }

  BpeModel read_bpe(const Json& model) {
    for (const char* key : {"byte_fallback", "fuse_unk", "ignore_merges"})
      if (is_true(member(model, key))) unsupported(fmt::format("model.{} is set", key));
    if (!member(model, "dropout").is_null()) unsupported("model.dropout is set");
    if (!text_of(member(model, "continuing_subword_prefix")).empty())
      unsupported("model.continuing_subword_prefix is set");
    suffix_ = text_of(member(model, "end_of_word_suffix"));
    std::array<int32_t, 256> inner{}, last{};
    for (size_t byte = 0; byte < 256; ++byte) {
      std::string symbol;
      append_utf8(byte_symbol(static_cast<unsigned char>(byte)), &symbol);
      inner[byte] = find(symbol);
      last[byte] = find(symbol + suffix_);
    }
    const std::string unknown = text_of(member(model, "unk_token"));
    const Json& merges = member(model, "merges");
    if (!merges.is_array()) fail("model.merges is missing");
    BpeModel bpe(inner, last, unknown.empty() ? BpeModel::kNoToken : find(unknown), merges.size());
    for (const Json& merge : merges) {
      const auto [left, right] = read_merge(merge);
      const int32_t left_id = find(left), right_id = find(right), merged = find(left + right);
      if (left_id < 0 || right_id < 0 || merged < 0)
        fail(fmt::format("merge of '{}' and '{}' is not in the vocabulary", left, right));
      bpe.add_merge(left_id, right_id, merged);
    }
    return bpe;
  }

  // ["a", "b"], or "a b" in older files.
  std::pair<std::string, std::string> read_merge(const Json& merge) const {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      return {merge[0].get<std::string>(), merge[1].get<std::string>()};
    const std::string text = text_of(merge);
    const size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
      fail("a merge is not a pair of tokens");
    return {text.substr(0, space), text.substr(space + 1)};
  }

  void read_added_tokens(HfDefinition* definition) const {
    const Json& list = member(root_, "added_tokens");
    if (list.is_null()) return;
    if (!list.is_array()) fail("added_tokens is not a list");
    for (const Json& entry : list) {
      AddedToken token{text_of(member(entry, "content")), token_id(member(entry, "id"))};
      if (token.content.empty()) fail("an added token has no content");
      for (const char* key : {"single_word", "lstrip", "rstrip"})
        if (is_true(member(entry, key))) unsupported(fmt::format("an added token sets {}", key));
      definition->ids.insert_or_assign(token.content, token.id);
      const bool normalized = is_true(member(entry, "normalized"));
      (normalized ? definition->after : definition->before).push_back(std::move(token));
    }
  }

  void read_normalizer(const Json& normalizer, HfDefinition* definition) const {
    if (normalizer.is_null()) return;
    const std::string type = text_of(member(normalizer, "type"));
    if (type == "Sequence") {
      for (const Json& part : member(normalizer, "normalizers"))
        read_single_normalizer(part, definition);
    } else {
      read_single_normalizer(normalizer, definition);
    }
  }

  void read_single_normalizer(const Json& normalizer, HfDefinition* definition) const {
    const std::string type = text_of(member(normalizer, "type"));
    if (type == "NFC")
      definition->nfc = true;
    else if (type == "Lowercase")
      definition->lower = true;
    else if (type != "Replace" || text_of(member(normalizer, "content")) != " " ||
             text_of(member(member(normalizer, "pattern"), "Regex")) != R"(\s+)")
      // Runs of white space are single spaces already after cleaning.
      unsupported(fmt::format("normalizer '{}'", type));
  }

  void read_pre_tokenizer(const Json& pre_tokenizer, HfDefinition* definition) const {
    const Json& parts = member(pre_tokenizer, "pretokenizers");
    if (text_of(member(pre_tokenizer, "type")) != "Sequence" || !parts.is_array() ||
        parts.size() != 2)
      unsupported("its pre_tokenizer is another");
    const Json &split = parts[0], &bytes = parts[1];
    const std::string regex = text_of(member(member(split, "pattern"), "Regex"));
    std::string_view pattern = regex;
    const bool names_specials = pattern.starts_with(kSpecialWords);
    if (names_specials) pattern.remove_prefix(kSpecialWords.size());
    const bool splits = text_of(member(split, "type")) == "Split" && pattern == kClipPattern &&
                        text_of(member(split, "behavior")) == "Removed" &&
                        is_true(member(split, "invert"));
    if (!splits) unsupported("its splitting pattern is another");
    // With use_regex (the default) a second pattern runs over the words; it splits none of them
    // further but the special ones, which are ordinary text then.
    const Json& use_regex = member(bytes, "use_regex");
    definition->special_words = names_specials && use_regex.is_boolean() && !is_true(use_regex);
    if (text_of(member(bytes, "type")) != "ByteLevel" || is_true(member(bytes, "add_prefix_space")))
      unsupported("its words are not split into bytes");
  }

  void read_post_processor(const Json& processor, HfDefinition* definition) const {
    const std::string type = text_of(member(processor, "type"));
    if (type == "RobertaProcessing") {
      const Json &start = member(processor, "cls"), &end = member(processor, "sep");
      if (!start.is_array() || start.size() != 2 || !end.is_array() || end.size() != 2)
        fail("post_processor lacks cls or sep");
      definition->start_id = token_id(start[1]);
      definition->end_id = token_id(end[1]);
      return;
    }
    const Json& single = member(processor, "single");
    if (type != "TemplateProcessing" || !single.is_array() || single.size() != 3 ||
        !member(single[1], "Sequence").is_object())
      unsupported("its post_processor does not add a start and an end token");
    definition->start_id = template_token(processor, single[0]);
    definition->end_id = template_token(processor, single[2]);
  }

  int32_t template_token(const Json& processor, const Json& piece) const {
    const std::string name = text_of(member(member(piece, "SpecialToken"), "id"));
    const Json& special = member(member(processor, "special_tokens"), name.c_str());
    const Json& ids = member(special, "ids");
    if (!ids.is_array() || ids.size() != 1) fail("post_processor names an unknown token");
    return token_id(ids[0]);
  }

  void fill_token_bytes(HfDefinition* definition) const {
    int32_t last = std::max(definition->start_id, definition->end_id);
    for (const auto& [token, id] : definition->ids) last = std::max(last, id);
    definition->token_bytes.resize(static_cast<size_t>(last) + 1);
    for (const auto& [token, id] : definition->ids) {
      std::string_view symbols = token;
      const bool ends_word = !suffix_.empty() && symbols.ends_with(suffix_);
      if (ends_word) symbols.remove_suffix(suffix_.size());
      std::string& bytes = definition->token_bytes[static_cast<size_t>(id)];
      for (size_t i = 0; i < symbols.size();)
        if (const auto byte = symbol_byte(next_code_point(symbols, &i)))
          bytes.push_back(static_cast<char>(*byte));
      if (ends_word) bytes.push_back(' ');
    }
  }

  std::string source_;
  Json root_;
  std::string suffix_;
  std::unordered_map<std::string, int32_t> ids_;
};

}  // namespace

HfDefinition parse_hf_definition(const std::string& source, std::string_view json_text) {
  return Parser(source, json_text).parse();
}

}  // namespace openclip
