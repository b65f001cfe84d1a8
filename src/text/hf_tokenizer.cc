#include "text/hf_tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/clip_split.h"
#include "text/hf_definition.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace openclip {
namespace {

constexpr size_t kMaxFileBytes = size_t{64} << 20;

// The first added token in `text`: leftmost, then longest (the list is longest first).
const AddedToken* find_added(const std::vector<AddedToken>& tokens, std::string_view text,
                             size_t* at) {
  const AddedToken* best = nullptr;
  *at = std::string_view::npos;
  for (const AddedToken& token : tokens) {
    const size_t found = text.find(token.content);
    if (found < *at) {
      best = &token;
      *at = found;
    }
  }
  return best;
}

// Calls `piece` on the text between added tokens, and appends the ids of these.
template <class Piece>
void split_added(const std::vector<AddedToken>& tokens, std::string_view text,
                 std::vector<int32_t>* ids, size_t limit, const Piece& piece) {
  while (!text.empty() && ids->size() < limit) {
    size_t at;
    const AddedToken* token = find_added(tokens, text, &at);
    if (token == nullptr) return piece(text);
    if (at > 0) piece(text.substr(0, at));
    ids->push_back(token->id);
    text.remove_prefix(at + token->content.size());
  }
}

// The special token that a word starting here is, in patterns that name them; else empty. Tokens as
// they are written were taken out before; these came out of the normaliser.
std::string_view next_special_word(std::string_view text, size_t* position) {
  while (*position < text.size() && text[*position] == ' ') ++*position;
  for (const std::string_view token : {"<|startoftext|>", "<|endoftext|>"})
    if (text.substr(*position).starts_with(token)) {
      *position += token.size();
      return token;
    }
  return {};
}

// The object in a file; an empty one where there is no file.
nlohmann::json read_object(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return nlohmann::json::object();
  const std::string text = read_text_file(path.string(), kMaxFileBytes);
  auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) throw ParseError(path.string(), "not valid JSON");
  return json.is_object() ? json : nlohmann::json::object();
}

// A token is written as a string, or as an object whose `content` it is.
std::string pad_token_of(const nlohmann::json& object) {
  if (!object.contains("pad_token")) return {};
  const auto& token = object["pad_token"];
  if (token.is_string()) return token.get<std::string>();
  const bool has_content =
      token.is_object() && token.contains("content") && token["content"].is_string();
  return has_content ? token["content"].get<std::string>() : std::string();
}

}  // namespace

std::string read_pad_token(const std::string& folder) {
  const std::filesystem::path path = folder;
  const nlohmann::json config = read_object(path / "tokenizer_config.json");
  if (!config.contains("added_tokens_decoder"))
    if (std::string token = pad_token_of(read_object(path / "special_tokens_map.json"));
        !token.empty())
      return token;
  return pad_token_of(config);
}

struct HfTokenizer::Definition : HfDefinition {};

HfTokenizer::HfTokenizer(const std::string& source, std::string_view json_text, Options options)
    : options_(std::move(options)) {
  check_arg(options_.context_length >= 2, "[HfTokenizer] context_length must be at least 2, got {}",
            options_.context_length);
  auto definition =
      std::make_shared<Definition>(Definition{parse_hf_definition(source, json_text)});
  if (!options_.pad_token.empty()) {
    const auto found = definition->ids.find(options_.pad_token);
    if (found == definition->ids.end())
      throw ParseError(source, fmt::format("pad token '{}' is not in it", options_.pad_token));
    definition->pad_id = found->second;
  }
  definition_ = std::move(definition);
}

std::unique_ptr<HfTokenizer> HfTokenizer::open(const std::string& path, Options options) {
  const std::string text = read_text_file(path, kMaxFileBytes);
  if (options.pad_token.empty())
    options.pad_token = read_pad_token(std::filesystem::path(path).parent_path().string());
  return std::make_unique<HfTokenizer>(path, text, std::move(options));
}

int HfTokenizer::vocab_size() const { return static_cast<int>(definition_->token_bytes.size()); }
int32_t HfTokenizer::start_id() const { return definition_->start_id; }
int32_t HfTokenizer::end_id() const { return definition_->end_id; }
int32_t HfTokenizer::pad_id() const { return definition_->pad_id.value_or(0); }

void HfTokenizer::append_words(std::string_view text, size_t limit,
                               std::vector<int32_t>* ids) const {
  size_t position = 0;
  while (ids->size() < limit) {
    auto word = definition_->special_words ? next_special_word(text, &position) : "";
    if (word.empty())
      word = next_clip_word(text, &position, {.ignore_case = false, .specials = false});
    if (word.empty()) break;
    definition_->bpe.encode_word(word, ids);
  }
}

void HfTokenizer::append_tokens(std::string_view text, size_t limit,
                                std::vector<int32_t>* ids) const {
  const std::string cleaned = clean_text(text, options_.clean);
  split_added(definition_->before, cleaned, ids, limit, [&](std::string_view piece) {
    std::string normal(piece);
    if (definition_->nfc || definition_->lower) {
      std::u32string codes = decode_utf8(piece);
      if (definition_->nfc) codes = normalize_nfc(std::move(codes));
      if (definition_->lower) codes = simple_lower(codes);
      normal = encode_utf8(codes);
    }
    split_added(definition_->after, normal, ids, limit,
                [&](std::string_view words) { append_words(words, limit, ids); });
  });
}

std::string HfTokenizer::decode(const std::vector<int32_t>& ids) const {
  std::string text;
  for (const int32_t id : ids) {
    check_arg(id >= 0 && id < vocab_size(), "[decode] token {} of a vocabulary of {}", id,
              vocab_size());
    if (id == end_id()) break;
    if (id != start_id() && id != definition_->pad_id)
      text += definition_->token_bytes[static_cast<size_t>(id)];
  }
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace openclip
