#include <cmath>

#include "text/bpe.h"
#include "text/byte_symbols.h"
#include "text/hf_json.h"
#include "text/hf_parts.h"
#include "text/unigram.h"
#include "text/utf8.h"
#include "text/word_piece.h"

namespace openclip {
namespace {

using hf_json::is_true;
using hf_json::Json;
using hf_json::member;
using hf_json::text_of;
using hf_json::unsupported;

// Files of before 2020 do not name their model.
std::string type_of(const Json& model, const TokenizerJson& json) {
  const std::string type = text_of(member(model, "type"));
  if (!type.empty()) return type;
  if (json.merges.size() > 0) return "BPE";
  return member(model, "unk_id").is_null() ? "WordPiece" : "Unigram";
}

void add_tokens_by_id(const std::string& source, const TokenizerJson& json, TokenTable* tokens) {
  tokens->reserve(json.vocab.size(), json.vocab.bytes());
  for (size_t i = 0; i < json.vocab.size(); ++i) {
    const double id = json.numbers[i];
    if (!(id >= 0 && id < hf_json::kMaxTokens) || id != std::floor(id))
      throw ParseError(source, "a token id is not a natural number below 2^22");
    if (json.vocab[i].empty()) throw ParseError(source, "a token of model.vocab is empty");
    tokens->add(json.vocab[i], static_cast<int32_t>(id));
  }
}

// Merge rules; merges of byte-level vocabularies drop nothing at their joint, others neither.
class MergeReader {
 public:
  MergeReader(const std::string& source, const TokenizerJson& json, const TokenTable& tokens)
      : source_(source), json_(json), tokens_(tokens) {}

  template <class Add>
  void read(const Add& add) {
    size_t at = 0;
    for (const bool is_pair : json_.merge_is_pair) {
      if (is_pair) {
        add_one(json_.merges[at], json_.merges[at + 1], add);
        at += 2;
        continue;
      }
      const std::string_view text = json_.merges[at++];
      const size_t space = text.find(' ');
      if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
        throw ParseError(source_, "a merge is not a pair of tokens");
      add_one(text.substr(0, space), text.substr(space + 1), add);
    }
  }

 private:
  template <class Add>
  void add_one(std::string_view left, std::string_view right, const Add& add) {
    joint_.assign(left).append(right);
    const int32_t left_id = tokens_.find(left), right_id = tokens_.find(right);
    const int32_t merged = tokens_.find(joint_);
    if (left_id < 0 || right_id < 0 || merged < 0)
      throw ParseError(source_,
                       fmt::format("merge of '{}' and '{}' is not in the vocabulary", left, right));
    add(left_id, right_id, merged);
  }

  const std::string& source_;
  const TokenizerJson& json_;
  const TokenTable& tokens_;
  std::string joint_;
};

std::shared_ptr<const SubwordModel> byte_bpe(const TokenizerJson& json, const std::string& source,
                                             const std::string& suffix, int32_t unknown,
                                             const TokenTable& tokens) {
  std::array<int32_t, 256> inner{}, last{};
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string symbol;
    append_utf8(byte_symbol(static_cast<unsigned char>(byte)), &symbol);
    inner[byte] = tokens.find(symbol);
    last[byte] = tokens.find(symbol + suffix);
  }
  auto model = std::make_shared<BpeModel>(inner, last, unknown, json.merge_is_pair.size());
  MergeReader(source, json, tokens).read([&](int32_t left, int32_t right, int32_t merged) {
    model->add_merge(left, right, merged);
  });
  return model;
}

bool has_byte_level(const Json& part) {
  if (text_of(member(part, "type")) == "ByteLevel") return true;
  const Json& parts = member(part, "pretokenizers");
  return parts.is_array() && std::any_of(parts.begin(), parts.end(), has_byte_level);
}

void read_bpe(const std::string& source, const TokenizerJson& json, HfDefinition* definition) {
  const Json& model = member(json.rest, "model");
  add_tokens_by_id(source, json, definition->tokens.get());
  if (is_true(member(model, "ignore_merges"))) unsupported(source, "model.ignore_merges is set");
  if (!member(model, "dropout").is_null()) unsupported(source, "model.dropout is set");
  if (!text_of(member(model, "continuing_subword_prefix")).empty())
    unsupported(source, "model.continuing_subword_prefix is set");
  const std::string suffix = text_of(member(model, "end_of_word_suffix"));
  const std::string unknown = text_of(member(model, "unk_token"));
  const int32_t unknown_id =
      unknown.empty() ? BpeModel::kNoToken : definition->tokens->find(unknown);
  const bool fuse = is_true(member(model, "fuse_unk"));
  const bool bytes = is_true(member(model, "byte_fallback"));
  if (has_byte_level(member(json.rest, "pre_tokenizer"))) {
    if (fuse || bytes)
      unsupported(source, "model.fuse_unk or byte_fallback is set for words of bytes");
    definition->suffix = suffix;
    definition->model = byte_bpe(json, source, suffix, unknown_id, *definition->tokens);
    return;
  }
  if (!suffix.empty()) unsupported(source, "model.end_of_word_suffix is set");
  BpeMerges merges(json.merge_is_pair.size());
  MergeReader(source, json, *definition->tokens)
      .read([&](int32_t left, int32_t right, int32_t merged) { merges.add(left, right, merged); });
  definition->spelling = TokenSpelling::metaspace;
  definition->model = std::make_shared<CharacterBpe>(
      definition->tokens, std::move(merges),
      CharacterBpe::Options{.unknown = unknown_id, .fuse_unknown = fuse, .byte_fallback = bytes});
}

void read_unigram(const std::string& source, const TokenizerJson& json, HfDefinition* definition) {
  const Json& model = member(json.rest, "model");
  if (json.vocab.size() > size_t{hf_json::kMaxTokens})
    throw ParseError(source, "model.vocab has more than 2^22 tokens");
  TokenTable& tokens = *definition->tokens;
  tokens.reserve(json.vocab.size(), json.vocab.bytes());
  for (size_t i = 0; i < json.vocab.size(); ++i) {
    if (json.vocab[i].empty()) throw ParseError(source, "a token of model.vocab is empty");
    tokens.add(json.vocab[i], static_cast<int32_t>(i));
  }
  const int32_t unknown = hf_json::token_id(member(model, "unk_id"), source);
  if (unknown >= tokens.size()) throw ParseError(source, "model.unk_id is not in the vocabulary");
  definition->spelling = TokenSpelling::metaspace;
  definition->model = std::make_shared<UnigramModel>(definition->tokens, json.numbers, unknown,
                                                     is_true(member(model, "byte_fallback")));
}

void read_word_piece(const std::string& source, const TokenizerJson& json,
                     HfDefinition* definition) {
  const Json& model = member(json.rest, "model");
  add_tokens_by_id(source, json, definition->tokens.get());
  WordPieceModel::Options options;
  if (const Json& prefix = member(model, "continuing_subword_prefix"); prefix.is_string())
    options.prefix = text_of(prefix);
  options.unknown = definition->tokens->find(text_of(member(model, "unk_token")));
  if (options.unknown < 0) throw ParseError(source, "model.unk_token is not in the vocabulary");
  if (const Json& most = member(model, "max_input_chars_per_word"); most.is_number_unsigned())
    options.longest_word = most.get<size_t>();
  definition->spelling = TokenSpelling::word_piece;
  definition->suffix = options.prefix;
  definition->model = std::make_shared<WordPieceModel>(definition->tokens, options);
}

}  // namespace

void read_hf_model(const std::string& source, const TokenizerJson& json, HfDefinition* definition) {
  const std::string type = type_of(member(json.rest, "model"), json);
  if (json.vocab.size() == 0) throw ParseError(source, "model.vocab is missing");
  if (type == "BPE") return read_bpe(source, json, definition);
  if (type == "Unigram") return read_unigram(source, json, definition);
  if (type == "WordPiece") return read_word_piece(source, json, definition);
  unsupported(source, fmt::format("its model is '{}'", type));
}

}  // namespace openclip
